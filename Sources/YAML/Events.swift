import CYAML

/// libyaml's event stream as Swift values: the only place that touches its memory.
@safe struct Events: ~Copyable {
    /// One event of the stream, with what the tree builder needs of it.
    struct Event {
        var kind: Kind
        /// Where it begins, both from 1.
        var line: Int
        var column: Int
        /// Where it ends.
        var endLine: Int
        var endColumn: Int
        /// The anchor, alias or tag written on it: `anchor '&a'`, `tag '!!int'`; nil if none.
        var decoration: String?
    }

    enum Kind {
        case streamStart, streamEnd, documentEnd
        /// `hasDirectives` when a `%YAML` or `%TAG` line stands before it.
        case documentStart(hasDirectives: Bool)
        case scalar(String, Node.Style)
        case alias
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
    }

    /// Why libyaml gave up.
    struct Failure: Error {
        var line: Int
        var column: Int
        var message: String
    }

    // Both live on the heap: libyaml keeps pointers into the parser and into the input. They are
    // made in init, freed in deinit, and never leave this type; that makes the type safe.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    /// False when libyaml had no memory for its own buffers.
    private let isReady: Bool

    init(_ bytes: [UInt8]) {
        unsafe input = .allocate(capacity: max(bytes.count, 1))
        // The buffer was allocated with room for all of `bytes`.
        _ = unsafe input.initialize(from: bytes)
        unsafe parser = .allocate(capacity: 1)
        // Zeroes the struct first, and leaves it fit for yaml_parser_delete when it fails.
        isReady = unsafe yaml_parser_initialize(parser) == 1
        guard isReady else { return }
        // `input` is freed in deinit only, after the parser that reads it.
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    }

    deinit {
        // Made in init, and nothing else holds them.
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    /// The next event; not to be called again after `streamEnd` or a failure.
    mutating func next() throws(Failure) -> Event {
        guard isReady else { throw Failure(line: 1, column: 1, message: "out of memory") }
        // yaml_parser_parse fills the event, or leaves it zeroed when it fails.
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        defer { unsafe yaml_event_delete(&event) }
        return Event(
            kind: unsafe Self.kind(of: event),
            line: unsafe event.start_mark.line + 1,
            column: unsafe event.start_mark.column + 1,
            endLine: unsafe event.end_mark.line + 1,
            endColumn: unsafe event.end_mark.column + 1,
            decoration: unsafe Self.decoration(of: event))
    }

    private func failure() -> Failure {
        // After a failed parse the parser holds the problem as a C string constant and its mark;
        // reader errors (control characters, broken UTF-8) carry an offset instead of a mark.
        let problem = unsafe parser.pointee.problem
        var message = unsafe problem.map { unsafe String(cString: $0) } ?? "not valid YAML"
        if unsafe parser.pointee.error == YAML_READER_ERROR {
            let offset = unsafe parser.pointee.problem_offset
            message += " at byte \(offset)"
            return unsafe Failure(
                line: parser.pointee.mark.line + 1, column: parser.pointee.mark.column + 1,
                message: message)
        }
        return unsafe Failure(
            line: parser.pointee.problem_mark.line + 1,
            column: parser.pointee.problem_mark.column + 1, message: message)
    }

    private static func kind(of event: yaml_event_t) -> Kind {
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_DOCUMENT_START_EVENT:
            // The union's member for this event type.
            let start = unsafe event.data.document_start
            let hasTags = unsafe start.tag_directives.start != start.tag_directives.end
            return unsafe .documentStart(hasDirectives: start.version_directive != nil || hasTags)
        case YAML_SCALAR_EVENT:
            // The union's member for this event type; libyaml has checked the text as UTF-8.
            let scalar = unsafe event.data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return unsafe .scalar(String(decoding: bytes, as: UTF8.self), style(scalar.style))
        case YAML_SEQUENCE_START_EVENT: return .sequenceStart
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_START_EVENT: return .mappingStart
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        default: return .alias
        }
    }

    private static func style(_ style: yaml_scalar_style_t) -> Node.Style {
        switch style {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE, YAML_DOUBLE_QUOTED_SCALAR_STYLE: .quoted
        case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: .block
        default: .plain
        }
    }

    private static func decoration(of event: yaml_event_t) -> String? {
        // Each read is of the union's member for the event's type; the names are NUL-terminated.
        switch unsafe event.type {
        case YAML_ALIAS_EVENT:
            return unsafe named("alias '*", event.data.alias.anchor)
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            return unsafe named("anchor '&", scalar.anchor) ?? named("tag '", scalar.tag)
        case YAML_SEQUENCE_START_EVENT:
            let start = unsafe event.data.sequence_start
            return unsafe named("anchor '&", start.anchor) ?? named("tag '", start.tag)
        case YAML_MAPPING_START_EVENT:
            let start = unsafe event.data.mapping_start
            return unsafe named("anchor '&", start.anchor) ?? named("tag '", start.tag)
        default:
            return nil
        }
    }

    private static func named(_ prefix: String, _ name: UnsafeMutablePointer<UInt8>?) -> String? {
        // NUL-terminated by libyaml, alive until the event is deleted.
        unsafe name.map { unsafe prefix + String(cString: $0) + "'" }
    }
}
