internal import Control
internal import JSONRPC
internal import NIOCore

/// A client that is not let in: it is told why in one line, and nothing of it is read.
final class RefusedClient: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let failure: Failure

    init(_ failure: Failure) {
        self.failure = failure
    }

    func channelActive(context: ChannelHandlerContext) {
        var out = LineWriter()
        out.error(
            nil, code: failure.code, message: failure.message,
            data: failure.json["data"])
        let line = context.channel.allocator.buffer(bytes: out.bytes)
        context.writeAndFlush(NIOAny(line), promise: nil)
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // It has gone already: there is nobody to tell.
        context.close(promise: nil)
    }
}
