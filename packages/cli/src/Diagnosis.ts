/**
 * The JSON that the diagnosing commands of `zk` print, as Schemas: `4lw`, `health`, `status`, `doctor`, `top`
 * and `exporter`.
 *
 * @since 0.1.0
 */
import * as EnsembleModels from "@effect-zookeeper/console/EnsembleModels"
import * as Schema from "effect/Schema"
import { MemberStatus } from "./MemberStatus.ts"
import { Time } from "./Output.ts"
import { Mode } from "./ServerAnswers.ts"

/**
 * An item of `4lw`: the answer of one server. It has `answer` where the word has a Schema, which is that of this name in
 * `ServerAnswers.schemas`, `text` for other words, and `problem` where there is no answer.
 *
 * @category schemas
 * @since 0.1.0
 */
export const WordAnswer = Schema.Struct({
  server: Schema.String,
  word: Schema.String,
  answer: Schema.optionalKey(Schema.Unknown),
  text: Schema.optionalKey(Schema.String),
  problem: Schema.optionalKey(Schema.String)
})

/**
 * The document of `status`, and an item of `top`: the members at one time.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Status = Schema.Struct({
  /** When they were asked. */
  time: Time,
  members: Schema.Array(MemberStatus),
  /** With `--discover`: how many members could not be asked, because nothing tells where they serve clients. */
  notAsked: Schema.optionalKey(Schema.Finite)
})

/**
 * The document of `exporter`: where the metrics are, also where the port was chosen by the system, and the members that it asks.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Metrics = Schema.Struct({ url: Schema.String, servers: Schema.Array(Schema.String) })

/**
 * The health of one member.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MemberHealth = Schema.Struct({
  /** As the connect string writes it. */
  server: Schema.String,
  /** Whether the process answers. */
  alive: Schema.Boolean,
  /** Whether it serves requests with a quorum behind it: a session can be made, and a write is committed. */
  ready: Schema.Boolean,
  /** Whether writes are made through it: a leader, or a standalone server. */
  leader: Schema.Boolean,
  /** Whether it serves reads alone, without a quorum. */
  readOnly: Schema.Boolean,
  mode: Schema.optionalKey(Mode),
  /** The time to make a session, a read, a write, and from a write to the event of its watch, in milliseconds. */
  connect: Schema.optionalKey(Schema.Finite),
  read: Schema.optionalKey(Schema.Finite),
  write: Schema.optionalKey(Schema.Finite),
  watch: Schema.optionalKey(Schema.Finite),
  /** The reasons for what is missing. */
  problems: Schema.Array(Schema.String)
})

/**
 * The document of `health`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Health = Schema.Struct({
  /** Whether the condition is met. */
  healthy: Schema.Boolean,
  expected: Schema.Literals(["alive", "ready", "leader", "read-only"]),
  /** How many members have to meet it. */
  needed: Schema.Finite,
  members: Schema.Array(MemberHealth),
  /** With `--discover`: how many members could not be asked, because nothing tells where they serve clients. */
  notAsked: Schema.optionalKey(Schema.Finite)
})

/**
 * An item of `doctor`: something to look at, and what to do.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Finding = EnsembleModels.Finding
