internal import CSQLite

/// One prepared statement, kept for reuse; finalised with its owner.
@safe final class Statement {
    private let handle: OpaquePointer

    /// Takes over a statement that `sqlite3_prepare_v3` made.
    init(owning handle: OpaquePointer) {
        unsafe self.handle = handle
    }

    deinit {
        // The handle is this object's own and is not used again.
        unsafe sqlite3_finalize(handle)
    }

    /// Binds the values, runs to the end and collects every row; returns SQLite's last result code,
    /// which is SQLITE_DONE when all went well.
    func run(_ values: [Value], into rows: inout [Row]) -> Int32 {
        defer { reset() }
        for (index, value) in values.enumerated() {
            let code = bind(value, at: Int32(index + 1))
            guard code == SQLITE_OK else { return code }
        }
        while true {
            // The handle is valid for the life of this object.
            let code = unsafe sqlite3_step(handle)
            guard code == SQLITE_ROW else { return code }
            rows.append(row())
        }
    }

    /// Makes the statement ready for its next use and forgets the values, which may be secret.
    private func reset() {
        // The result of sqlite3_reset repeats the error that sqlite3_step reported.
        unsafe sqlite3_reset(handle)
        unsafe sqlite3_clear_bindings(handle)
    }

    private func bind(_ value: Value, at index: Int32) -> Int32 {
        // SQLITE_TRANSIENT (-1): SQLite copies the bytes before the call returns.
        let transient = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch value {
        case .null: return unsafe sqlite3_bind_null(handle, index)
        case .integer(let number): return unsafe sqlite3_bind_int64(handle, index, Int64(number))
        case .real(let number): return unsafe sqlite3_bind_double(handle, index, number)
        case .text(let text):
            let count = Int32(clamping: text.utf8.count)
            // The text is handed over as UTF-8 for the length of the call.
            return unsafe sqlite3_bind_text(handle, index, text, count, transient)
        case .blob(let bytes):
            return unsafe bytes.withUnsafeBytes {
                unsafe $0.isEmpty
                    ? sqlite3_bind_zeroblob(handle, index, 0)
                    : sqlite3_bind_blob(
                        handle, index, $0.baseAddress, Int32(clamping: $0.count), transient)
            }
        }
    }

    private func row() -> Row {
        let count = unsafe sqlite3_column_count(handle)
        return Row((0..<count).map(column))
    }

    /// Copies one column of the row that the last step stands on.
    private func column(_ index: Int32) -> Value {
        switch unsafe sqlite3_column_type(handle, index) {
        case SQLITE_INTEGER: return .integer(Int(unsafe sqlite3_column_int64(handle, index)))
        case SQLITE_FLOAT: return .real(unsafe sqlite3_column_double(handle, index))
        case SQLITE_TEXT: return .text(String(decoding: bytes(index), as: UTF8.self))
        case SQLITE_BLOB: return .blob(bytes(index))
        default: return .null
        }
    }

    private func bytes(_ index: Int32) -> [UInt8] {
        // SQLite keeps the bytes until the next step or reset; they are copied before that. The
        // pointer must be asked for before the count, as the manual says.
        guard let start = unsafe sqlite3_column_blob(handle, index) else { return [] }
        let count = Int(unsafe sqlite3_column_bytes(handle, index))
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
