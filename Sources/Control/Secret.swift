/// A credential's value: never printed, never part of a message by accident.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The value itself; whoever reads it says where it goes.
    public let revealed: String

    /// Wraps a value.
    public init(_ value: String) {
        revealed = value
    }

    /// Dots, whatever the value.
    public var description: String { "•••" }

    /// Dots, whatever the value.
    public var debugDescription: String { "•••" }

    /// A mirror without children, so that `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
