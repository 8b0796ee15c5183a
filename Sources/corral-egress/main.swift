import Egress
import Glibc
import Kernel

// The only way out of a sandbox: what tools and the network say is read here, by a process that has
// the network and nothing else. corrald hands over the sandboxes' sockets and watches.
do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    try Identity.protectMemory()
    try Identity.refuseNewPrivileges()
    ignoreBrokenPipes()
    let descriptors = try Identity.raiseDescriptorLimit(to: Gateway.descriptors)
    // All that has a name is opened here; the filter knows neither open nor another kind of socket.
    let routes = try Routes()
    let files = try ResolverFiles(resolvConf: options.resolvConf, hosts: options.hosts)
    let gateway = try Gateway(
        supervisor: Descriptor(owning: options.supervisorSocket), routes: routes, files: files,
        descriptors: descriptors)
    // The supervisor writes the filter and closes its end, so the end of the pipe is its end.
    try Identity.filterSystemCalls(
        try Descriptor(owning: options.filter).readAll(limit: 64 << 10, from: "filter"))
    try gateway.run()
} catch {
    Diagnostics.line("corral-egress: \(error)")
    exit(1)
}
