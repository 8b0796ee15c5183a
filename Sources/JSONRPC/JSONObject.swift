/// The members of a JSON object in the order they were written, each name once.
public struct JSONObject: Sendable {
    /// Names and values in order.
    public private(set) var members: [(name: String, value: JSON)]

    /// Makes an object; of a name that occurs twice the last value counts, at the first's place.
    public init(_ members: [(name: String, value: JSON)] = []) {
        self.members = []
        self.members.reserveCapacity(members.count)
        for member in members { self[member.name] = member.value }
    }

    /// Takes members whose names are known to differ.
    init(distinct members: [(name: String, value: JSON)]) {
        self.members = members
    }

    /// The value of a member; setting nil removes it, a new name goes to the end.
    public subscript(_ name: String) -> JSON? {
        get { members.first { JSONObject.same($0.name, name) }?.value }
        set {
            let index = members.firstIndex { JSONObject.same($0.name, name) }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append((name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Whether there are no members.
    public var isEmpty: Bool { members.isEmpty }

    /// How many members there are.
    public var count: Int { members.count }

    /// Whether two names are the same bytes: `==` on strings would also equate different spellings
    /// of the same letter, which JSON keeps apart.
    static func same(_ one: String, _ other: String) -> Bool {
        one.utf8.elementsEqual(other.utf8)
    }
}

extension JSONObject: Equatable {
    /// Whether both have the same members, in whatever order.
    public static func == (one: JSONObject, other: JSONObject) -> Bool {
        one.members.count == other.members.count
            && one.members.allSatisfy { member in other[member.name] == member.value }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// An object; of a name that occurs twice the last value counts.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self.init(elements.map { (name: $0.0, value: $0.1) })
    }
}
