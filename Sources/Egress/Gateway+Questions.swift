import Kernel
import NetworkRules
import SupervisorProtocol
import Wire

extension Gateway {
    /// Takes over a connection to port 53.
    func answer(_ tool: consuming Descriptor, of sandbox: Sandbox) {
        guard sandbox.streams.count < Limit.questionStreams, sandbox.bucket.take(at: now) else {
            return
        }
        QuestionStream(tool, sandbox).begin(self)
    }

    /// Decides on one question and has it answered.
    func ask(_ bytes: [UInt8], of sandbox: Sandbox, _ way: Asker.Way) {
        guard sandbox.questionBucket.take(at: now) else { return refuseFlood(bytes, sandbox, way) }
        let query: DNSQuery
        do throws(Malformed) {
            query = try DNSQuery(decoding: bytes)
        } catch {
            tell(sandbox, "", Denial(.badQuestion))
            return send(DNSQuery.id(ofMalformed: bytes).map { DNSResponse(toMalformed: $0) }, way)
        }
        let text = query.question.name.text
        let type = query.question.type
        guard query.question.recordClass == 1, type != .any, !DNSType.transfers.contains(type)
        else {
            tell(sandbox, text, Denial(.badQuestion))
            return send(DNSResponse(to: query, .refused), way)
        }
        guard let name = HostName(text), case .allowed(let rule) = sandbox.rules.verdict(name: name)
        else {
            tell(sandbox, text, denial(sandbox, text))
            // Every resolver takes this as final at once: after REFUSED glibc and Go ask again and
            // report a passing failure, and musl waits until its time is over.
            return send(DNSResponse(to: query, .noSuchName), way)
        }
        let entry = sandbox.rules.allow[rule]
        tell(sandbox, name.text, nil, rule: entry.text, place: entry.place)
        find(Asker(sandbox: sandbox, query: query, name: name, way: way))
    }

    private func denial(_ sandbox: Sandbox, _ text: String) -> Denial {
        if let name = HostName(text), case .denied(let denial) = sandbox.rules.verdict(name: name) {
            return denial
        }
        return Denial(.notAllowed, place: sandbox.place(of: "allow"))
    }

    /// Beyond the limit: refused unread, and told once a second.
    private func refuseFlood(_ bytes: [UInt8], _ sandbox: Sandbox, _ way: Asker.Way) {
        if now >= (sandbox.questionsRefused ?? 0) + 1_000_000 {
            sandbox.questionsRefused = now
            tell(sandbox, "", Denial(.connectionRate))
        }
        send(DNSQuery.id(ofMalformed: bytes).map { DNSResponse(toMalformed: $0, .refused) }, way)
    }

    private func find(_ asker: Asker) {
        let question = asker.query.question
        guard [.a, .aaaa, .cname, .mx, .txt, .srv].contains(question.type) else {
            return send(DNSResponse(to: asker.query, .success), asker.way)
        }
        let settings = files.settings(now: now)
        if files.takeStale() { supervisor.wantFiles() }
        if let addresses = settings.hosts[asker.name.text], [.a, .aaaa].contains(question.type) {
            let records = addresses.map {
                DNSRecord(question.name, secondsToLive: 0, .address($0.bytes))
            }
            return answer(asker, records)
        }
        guard asker.sandbox.questionsWaiting < Limit.questionsWaiting else {
            return send(DNSResponse(to: asker.query, .failed), asker.way)
        }
        if let known = lookups[question] {
            asker.sandbox.questionsWaiting += 1
            known.askers.append(asker)
            return
        }
        guard lookups.count < Limit.lookups else {
            return send(DNSResponse(to: asker.query, .failed), asker.way)
        }
        asker.sandbox.questionsWaiting += 1
        let lookup = Lookup(question, settings)
        lookup.askers = [asker]
        lookups[question] = lookup
        table.insert(lookup)
        lookup.next(self)
    }

    /// A name server has answered, or none has.
    func deliver(_ response: DNSResponse?, to asker: Asker) {
        asker.sandbox.questionsWaiting -= 1
        guard !asker.sandbox.isClosed else { return }
        switch response?.status {
        case .success?: answer(asker, response?.answers ?? [])
        case .noSuchName?: send(DNSResponse(to: asker.query, .noSuchName), asker.way)
        default: send(DNSResponse(to: asker.query, .failed), asker.way)
        }
    }

    /// Gives out what the sandbox may hear, by the rules as they are now, and remembers it.
    private func answer(_ asker: Asker, _ records: [DNSRecord]) {
        let sandbox = asker.sandbox
        let answer = Answer(to: asker.query.question, from: records) { address in
            let isHost = isHost(Endpoint(address, port: 0))
            return sandbox.rules.mayAnswer(address, for: asker.name, isHost: isHost)
        }
        let until = now + UInt64(answer.leaseSeconds) * 1_000_000
        for address in answer.given {
            sandbox.leases.note(address, for: asker.name, until: until, now: now)
        }
        if let address = answer.dropped.first {
            tell(sandbox, asker.name.text, denial(of: address, for: asker), address: address)
        }
        send(DNSResponse(to: asker.query, .success, answer.records), asker.way)
    }

    /// Why an address may not be given out: as a connection to it would be told.
    private func denial(of address: IPAddress, for asker: Asker) -> Denial {
        let rules = asker.sandbox.rules
        let port = rules.allow.first { $0.destination.isNamed }?.destination.ports.first?.lowerBound
        let verdict = rules.verdict(
            address: address, port: port ?? 0, names: [asker.name],
            isHost: isHost(Endpoint(address, port: 0)))
        if case .denied(let denial) = verdict { return denial }
        return Denial(.notAllowed)
    }

    private func send(_ response: DNSResponse?, _ way: Asker.Way) {
        switch way {
        case .datagram(let door, let asker):
            if let response { door.answer(response, to: asker) }
        case .stream(let stream):
            if let response { stream.answer(response, self) } else { stream.end(self) }
        }
    }

    private func tell(
        _ sandbox: Sandbox, _ name: String, _ denial: Denial?, rule: String = "",
        place: String = "", address: IPAddress? = nil
    ) {
        outbox.add(
            .decided(
                EgressDecision(
                    number: nextDecision(), sandbox: sandbox.number, owner: sandbox.owner,
                    time: System.wallMilliseconds * 1000, kind: .resolve, name: name,
                    address: address, port: 0, denial: denial, rule: rule,
                    place: denial?.place ?? place)))
        // A denial is told before the tool can notice it.
        if denial != nil { flush() }
    }
}
