/// This release of Corral.
public enum Release {
    /// The version as `corral --version`, `corral/status` and MCP's implementation info tell it.
    public static let version = "0.1.0"
}
