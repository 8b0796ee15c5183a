import Store
import Testing

@Suite struct ValueTypeTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_709_164_799_005, "2024-02-28T23:59:59.005Z"),
        (1_785_196_799_999, "2026-07-27T23:59:59.999Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ])
    func `an instant is written in ISO 8601`(milliseconds: Int, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
    }

    @Test func `identities are version 4, in order of nothing, and read back`() throws {
        let made = (0..<1000).map { _ in UUID() }
        #expect(Set(made).count == 1000)
        for id in made {
            let text = Array(id.description)
            #expect(text.count == 36)
            #expect(text[14] == "4")
            #expect("89ab".contains(text[19]))
            #expect(UUID(id.description) == id)
        }
    }

    @Test(arguments: [
        "", "0b2d1f2e-5c1d-4b7a-9d0e-2f6a1c3b4d5", "0b2d1f2e5c1d4b7a9d0e2f6a1c3b4d5e",
        "0b2d1f2e-5c1d-4b7a-9d0e-2f6a1c3b4d5g",
    ])
    func `what is no identity is refused`(text: String) {
        #expect(UUID(text) == nil)
    }

    @Test func `an identity is read in either case`() {
        #expect(
            UUID("0B2D1F2E-5C1D-4B7A-9D0E-2F6A1C3B4D5E")?.description
                == "0b2d1f2e-5c1d-4b7a-9d0e-2f6a1c3b4d5e")
    }
}
