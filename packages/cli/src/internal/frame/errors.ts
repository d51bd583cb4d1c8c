/** The errors that commands have beside those of the client. */
import * as Printable from "@effect-zookeeper/client/Printable"
import * as Schema from "effect/Schema"

/** A mistake on the command line, in the environment or in the profile. */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", {
  /** The mistake, and the right form. */
  message: Schema.String
}) {}

/** A write with `--read-only`. */
export class ReadOnlyMode extends Schema.TaggedError<ReadOnlyMode>()("ReadOnlyMode", {
  command: Schema.String,
  /** Where the setting comes from. */
  source: Schema.String
}) {
  override get message(): string {
    return `${this.command} was not sent, because ${this.source} allows no writes`
  }
}

/** A command that took too long. */
export class TimedOut extends Schema.TaggedError<TimedOut>()("TimedOut", {
  timeout: Schema.String
}) {
  override get message(): string {
    return `not done within --timeout (${this.timeout})`
  }
}

/** A chroot that does not exist. */
export class NoChroot extends Schema.TaggedError<NoChroot>()("NoChroot", {
  chroot: Schema.String
}) {
  override get message(): string {
    return `the chroot ${this.chroot} does not exist on the servers; see --chroot, and the end of --servers`
  }
}

/** A command that found another state than it needs. */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", {
  message: Schema.String
}) {}

/** A znode with another version than `--version`. */
export class OtherVersion extends Schema.TaggedError<OtherVersion>()("BadVersion", {
  path: Schema.String,
  found: Schema.Number,
  expected: Schema.Number
}) {
  override get message(): string {
    return `${Printable.escapeAll(this.path)} has version ${this.found}, and not ${this.expected}; nothing was changed`
  }
}

/** A server that creates no znodes with a TTL. */
export class NoTtl extends Schema.TaggedError<NoTtl>()("NoTtl", {
  path: Schema.String
}) {
  override get message(): string {
    return `${Printable.escapeAll(this.path)} was not created: the server has no TTLs, which need zookeeper.extendedTypesEnabled=true, off by default, and ZooKeeper 3.5.3 or later`
  }
}

/** A question that was answered with no, or that there was no terminal to ask. */
export class Declined extends Schema.TaggedError<Declined>()("Declined", {
  message: Schema.String
}) {}

/** A file, or the standard input, that could not be read or written. */
export class FileError extends Schema.TaggedError<FileError>()("FileError", {
  message: Schema.String
}) {}

/** A new file that its check has refused. */
export class CheckFailed extends Schema.TaggedError<CheckFailed>()("CheckFailed", {
  file: Schema.String,
  check: Schema.String,
  code: Schema.Number
}) {
  override get message(): string {
    return `${this.file} was not replaced, because its check ended with ${this.code}: ${this.check}`
  }
}

/** A part of a subtree that the ACLs keep from the command. */
export class Incomplete extends Schema.TaggedError<Incomplete>()("Incomplete", {
  message: Schema.String
}) {}

/** A guarded command has ended by itself: `zk` ends with its exit code, and has nothing to add. */
export class CommandEnded extends Schema.TaggedError<CommandEnded>()("CommandEnded", {
  exitCode: Schema.Number
}) {}

/** A guarded command could not be started. */
export class NotStarted extends Schema.TaggedError<NotStarted>()("NotStarted", {
  message: Schema.String,
  /** 127 where there is no such command, or else 126, as in shells. */
  exitCode: Schema.Number
}) {}

/** The keeper of a guarded command has died, and the command with it. */
export class KeeperDied extends Schema.TaggedError<KeeperDied>()("KeeperDied", {
  message: Schema.String
}) {}

/** The keeper has ended a guarded command, because `zk` did not tell it in time that the hold goes on. */
export class HoldUncertain extends Schema.TaggedError<HoldUncertain>()("HoldUncertain", {
  path: Schema.String
}) {
  override get message(): string {
    return `${this.path} may be held by another: its hold was not confirmed in time, and the command was ended`
  }
}

/** The reader of the standard output has gone, as `head` does: the command ends, and nothing is wrong. */
export class OutputClosed extends Schema.TaggedError<OutputClosed>()("OutputClosed", {}) {}

/** Members of an ensemble that are not as they should be. */
export class Unhealthy extends Schema.TaggedError<Unhealthy>()("Unhealthy", {
  message: Schema.String
}) {}

/** No member of an ensemble has answered. */
export class NoMemberReached extends Schema.TaggedError<NoMemberReached>()("NoMemberReached", {
  message: Schema.String
}) {}

/** Some servers have answered, and others have not. */
export class NotAllAnswered extends Schema.TaggedError<NotAllAnswered>()("NotAllAnswered", {
  message: Schema.String
}) {}

/** An address that is not there to listen on. */
export class ListenFailed extends Schema.TaggedError<ListenFailed>()("ListenFailed", {
  message: Schema.String
}) {}
