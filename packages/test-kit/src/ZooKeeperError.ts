/**
 * The two things that can go wrong with a real server in a test: there is none on this machine, or it did not obey.
 */
import * as Schema from "effect/Schema"

/** No ZooKeeper was found on this machine. The message is one line that says what to install. */
export class ZooKeeperNotFound extends Schema.TaggedError<ZooKeeperNotFound>()("ZooKeeperNotFound", {
  /** The places that were looked at, and why each did not serve. */
  tried: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return (
      "No ZooKeeper found: install Debian's package (apt-get install zookeeper default-jre-headless, or set ZK_INSTALL=1 " +
      "to have it done), or unpack an Apache release and set ZOOKEEPER_HOME, or start Docker " +
      `(tried: ${this.tried.join("; ")})`
    )
  }
}

/** A server could not be started, or did not answer in time. */
export class ZooKeeperServerError extends Schema.TaggedError<ZooKeeperServerError>()("ZooKeeperServerError", {
  /** The server's address, or what was started. */
  server: Schema.String,
  /** The operation that failed. */
  action: Schema.String,
  /** The outcome, with the end of the server's log if there is one. */
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.server}: ${this.action} failed: ${this.reason}`
  }
}
