import Testing

/// Whole programs, real sandboxes: one after the other, because each starts a Corral of its own.
@Suite(.serialized, .enabled(if: Host.canRunSandboxes, "needs root and the built programs"))
struct IntegrationTests {}
