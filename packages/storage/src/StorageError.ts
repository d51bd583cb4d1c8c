/**
 * Why a file of ZooKeeper could not be read or written.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/protocol/ErrorClass"
import * as Printable from "@effect-zookeeper/protocol/Printable"
import * as Schema from "effect/Schema"

/**
 * The operating system refused to read, list or write a file or folder: it does not exist, for example, or its permissions
 * are missing.
 *
 * @category errors
 * @since 0.1.0
 */
export class FileAccessError extends ErrorClass.make(
  Schema.TaggedError<FileAccessError>()("FileAccessError", {
    /** The path of the file or folder. */
    file: Schema.String,
    action: Schema.Literals(["read", "list", "write"]),
    cause: Schema.Defect()
  })
) {
  override get message(): string {
    const reason = this.cause instanceof Error ? `: ${Printable.escape(this.cause.message)}` : ""
    return `cannot ${this.action} ${Printable.quote(this.file)}${reason}; check that it exists and its permissions`
  }
}

/**
 * A file is not as ZooKeeper writes it. All records before the wrong byte were given.
 *
 * @category errors
 * @since 0.1.0
 */
export class MalformedFile extends ErrorClass.make(
  Schema.TaggedError<MalformedFile>()("MalformedFile", {
    /** The path of the file. */
    file: Schema.String,
    /**
     * - `Foreign`: the file begins differently from a file of this kind, or has a version that is not known.
     * - `Truncated`: the file ends before its last record does.
     * - `Partial`: the last transaction of a log is incomplete, and nothing follows it. A server that is killed leaves such
     *   a log, and takes the transactions before it for complete.
     * - `Corrupt`: bytes are wrong.
     * - `TooLarge`: a record is longer than the option `maxRecordSize`. Raise it if the servers' `jute.maxbuffer` is larger.
     */
    problem: Schema.Literals(["Foreign", "Truncated", "Partial", "Corrupt", "TooLarge"]),
    /** Where the wrong byte is, or where the record with it begins: in bytes from the start of `within`. */
    offset: Schema.Number,
    /** `file`: the bytes of the file. `contents`: those of its contents without their compression. */
    within: Schema.Literals(["file", "contents"]),
    /** The bytes that should be there, in words. */
    expected: Schema.String,
    /** The bytes that are there, in words. */
    found: Schema.String
  })
) {
  override get message(): string {
    const place = `byte ${this.offset}${this.within === "file" ? "" : " of its uncompressed contents"}`
    return `${Printable.quote(this.file)} is ${adjectives[this.problem]} at ${place}: expected ${this.expected}, found ${this.found}`
  }
}

/**
 * A data directory does not have the files that the tree at a zxid needs.
 *
 * @category errors
 * @since 0.1.0
 */
export class IncompleteDirectory extends ErrorClass.make(
  Schema.TaggedError<IncompleteDirectory>()("IncompleteDirectory", {
    /** The folder with the files. */
    directory: Schema.String,
    /** The transactions or files that are missing. */
    problem: Schema.String
  })
) {
  override get message(): string {
    return `${Printable.quote(this.directory)}: ${this.problem}`
  }
}

const adjectives = {
  Foreign: "not a file of this kind",
  Truncated: "cut off",
  Partial: "incomplete",
  Corrupt: "corrupt",
  TooLarge: "beyond the limit"
} as const
