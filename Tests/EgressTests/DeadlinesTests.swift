import Testing

@testable import Egress

@Suite struct DeadlinesTests {
    @Test func `what is due comes in the order of time, whatever was changed before`() {
        var deadlines = Deadlines()
        var model: [Int: UInt64] = [:]
        for _ in 0..<5000 {
            let place = Int.random(in: 0..<200)
            if Bool.random() {
                let due = UInt64.random(in: 0..<1000)
                deadlines.set(place, due)
                model[place] = due
            } else {
                deadlines.remove(place)
                model[place] = nil
            }
            #expect(deadlines.next == model.values.min())
        }
        for now in stride(from: UInt64(0), through: 1000, by: 100) {
            while let place = deadlines.pop(at: now) {
                #expect(model[place].map { $0 <= now } == true)
                model[place] = nil
            }
            #expect(model.values.allSatisfy { $0 > now })
        }
        #expect(deadlines.next == nil)
    }
}
