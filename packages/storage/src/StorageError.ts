/**
 * Why a file of ZooKeeper could not be read or written.
 *
 * @since 0.1.0
 */
import * as ErrorClass from "@effect-zookeeper/protocol/ErrorClass"
import * as Hex64 from "@effect-zookeeper/protocol/Hex64"
import * as Printable from "@effect-zookeeper/protocol/Printable"
import * as PlatformError from "effect/PlatformError"
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
    return `cannot ${this.action} ${Printable.quote(this.file)}${explain(this.cause)}`
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
     * - `Partial`: the last transaction of a log is incomplete, or its header, and nothing follows it. A server that is killed or
     *   has a full disk leaves such a log, and takes the transactions before it for complete.
     * - `Corrupt`: bytes are wrong.
     * - `TooLarge`: a record is longer than the option `maxRecordSize`, or the tree than `maxTreeSize`. Raise the first if the
     *   servers' `jute.maxbuffer` is larger.
     */
    problem: Schema.Literals(["Foreign", "Truncated", "Partial", "Corrupt", "TooLarge"]),
    /** Where the wrong byte is, or where the record with it begins: in bytes from the start of `within`. */
    offset: Schema.Number,
    /** `file`: the bytes of the file. `contents`: those of its contents without their compression. */
    within: Schema.Literals(["file", "contents"]),
    /** The bytes that should be there, in words. */
    expected: Schema.String,
    /** The bytes that are there, in words. */
    found: Schema.String,
    /** Of a log that was replayed, or searched for a time: the last transaction before the wrong byte. */
    lastZxid: Schema.optional(Schema.BigInt)
  })
) {
  override get message(): string {
    const place = `byte ${this.offset}${this.within === "file" ? "" : " of its uncompressed contents"}`
    const before =
      this.lastZxid === undefined ? "" : `; the transactions up to ${Hex64.format(this.lastZxid)} are right`
    return `${Printable.quote(this.file)} is ${adjectives[this.problem]} at ${place}: expected ${this.expected}, found ${this.found}${before}`
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

/**
 * An ACL was read by a client that may not see the hashes of passwords: the server has put "x" in their place. Restored, it would
 * keep every client out.
 *
 * @category errors
 * @since 0.1.0
 */
export class MaskedAcl extends ErrorClass.make(
  Schema.TaggedError<MaskedAcl>()("MaskedAcl", {
    path: Schema.String
  })
) {
  override get message(): string {
    return `the ACL of ${Printable.quote(this.path)} was read without the right to see its hashes; read it again as the super user or with ADMIN, or give it another ACL with the option acl`
  }
}

/** The reason, and what to do where the reason does not say it. */
const explain = (cause: unknown): string => {
  const advice = "; check that it exists and its permissions"
  if (!(cause instanceof Error)) return advice
  if (!PlatformError.isPlatformError(cause)) return `: ${Printable.escape(cause.message)}`
  switch (cause.reason._tag) {
    case "NotFound":
      return ": there is no such file or folder"
    case "AlreadyExists":
      return ": it exists already"
    case "PermissionDenied":
      return ": this user has no permission for it"
    default: {
      // The text of the operating system, without the names of functions.
      const { cause: inner, message } = cause.reason
      return `: ${Printable.escape(inner instanceof Error ? inner.message : message)}${advice}`
    }
  }
}

const adjectives = {
  Foreign: "not a file of this kind",
  Truncated: "cut off",
  Partial: "incomplete",
  Corrupt: "corrupt",
  TooLarge: "beyond the limit"
} as const
