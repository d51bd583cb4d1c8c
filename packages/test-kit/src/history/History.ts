/**
 * The operations of clients with their results: the record that the checker judges.
 *
 * A history is written as lines, one when something is asked and one when an answer comes, so that what a killed process
 * had asked is there without an answer. Lines of several processes may be joined: all times are of one monotonic clock.
 */
import * as Schema from "effect/Schema"

/**
 * The kinds of operations. Registers: `read`, `write` (with `expected`, of that version only), `cas` (of a value),
 * `create`, `delete`. Watches: `watch` reads and watches, `event` is the one event of the watch `of`; `observe` begins a
 * stream of newest states, `observed` is one of the stream `of`; `unwatched` says that the watch or the stream `of` is
 * over. Locks: `acquire`, and `release` of, or `lost` for, the hold `of`; `fenced` is a write to a resource that compares tokens.
 * Counters: `increment`, and `total`. Queues: `offer`, `take`. `alive` says which session a client has at the end.
 * `pause` is a process that stood still, or with the path "leader" a time in which two members may have led; `crash` a
 * process that ended without a word.
 */
const Kind = Schema.Literals([
  "read",
  "write",
  "cas",
  "create",
  "delete",
  "watch",
  "event",
  "observe",
  "observed",
  "unwatched",
  "acquire",
  "release",
  "lost",
  "fenced",
  "increment",
  "total",
  "offer",
  "take",
  "alive",
  "pause",
  "crash"
])

const { optional } = Schema

/** The fields that are known when an operation begins. */
const asked = {
  f: Kind,
  path: Schema.String,
  /** The value that is written, created or offered. No two operations on a path write the same value. */
  value: optional(Schema.String),
  /** The version that the znode must have for the write. */
  expected: optional(Schema.Int),
  /** The value that the znode must have for the `cas`. */
  expects: optional(Schema.String),
  /** Whether a read asked for the newest state (a sync, or a write of its own before it). Others may lag behind. */
  synced: optional(Schema.Boolean),
  /** Whether a synced read had a write of its own before it, which a former leader cannot confirm. */
  barrier: optional(Schema.Boolean),
  /** Whether the znode is an ephemeral. Its registers are judged by owner, not by value. */
  ephemeral: optional(Schema.Boolean),
  /** The watch, the stream or the hold that this belongs to: the `id` of the operation that began it. */
  of: optional(Schema.String),
  /** How many may hold at once; 1 by default. */
  limit: optional(Schema.Int),
  /** A hold that is shared with other shared holds, and with no others. */
  shared: optional(Schema.Boolean),
  /** The amount of an increment, 1 by default. */
  by: optional(Schema.Int)
}

/** The fields of an answer. */
const answered = {
  value: optional(Schema.String),
  version: optional(Schema.Int),
  czxid: optional(Schema.BigIntFromString),
  mzxid: optional(Schema.BigIntFromString),
  /** The session that owns an ephemeral. */
  owner: optional(Schema.String),
  /** The fencing token of a hold, or the one that was shown to a fenced resource. */
  token: optional(Schema.BigIntFromString),
  /** The value of a counter. */
  count: optional(Schema.Int)
}

export const Line = Schema.Struct({
  id: Schema.String,
  type: Schema.Literals(["invoke", "ok", "fail", "info"]),
  /** Microseconds of the monotonic clock. */
  at: Schema.Number,
  client: Schema.String,
  session: Schema.String,
  error: optional(Schema.String),
  ...asked,
  ...answered
})

export type Line = typeof Line.Type

/** The arguments of an operation. */
export type Asked = Pick<Line, keyof typeof asked | "token">

/** The result of an operation, as far as the checker needs it. */
export type Answered = Pick<Line, keyof typeof answered>

/** `ok`: done. `fail`: certainly not done. `info`: unknown, and it may yet be done at any time. */
export type Outcome = "ok" | "fail" | "info"

/** An operation with its outcome. */
export interface Operation extends Omit<Line, "type" | "at" | "session"> {
  readonly invokedAt: number
  /** Infinity without an answer, or with one that proves nothing. */
  readonly completedAt: number
  readonly outcome: Outcome
  /** The session in which it began and ended; `undefined` if these were two. */
  readonly session: string | undefined
}

/** Joins lines to operations, in the order in which they began. An operation without an answer is unknown. */
export const fromLines = (lines: Iterable<Line>): ReadonlyArray<Operation> => {
  const operations = new Map<string, Operation>()
  const answers: Array<Line> = []
  for (const line of lines) {
    const { at, type, ...rest } = line
    if (type === "invoke") {
      operations.set(line.id, { ...rest, invokedAt: at, completedAt: Number.POSITIVE_INFINITY, outcome: "info" })
    } else answers.push(line)
  }
  for (const { at, session, type, ...answer } of answers) {
    const operation = operations.get(answer.id)
    if (operation === undefined) continue
    operations.set(answer.id, {
      ...operation,
      ...answer,
      outcome: type === "invoke" ? "info" : type,
      completedAt: type === "info" ? Number.POSITIVE_INFINITY : at,
      session: session === operation.session ? session : undefined
    })
  }
  return [...operations.values()].toSorted((a, b) => a.invokedAt - b.invokedAt)
}

const JsonLine = Schema.fromJsonString(Line)

/** A line of a file, with its end. */
export const encodeLine: (line: Line) => string = (line) => `${Schema.encodeSync(JsonLine)(line)}\n`

/** The lines of a file. A last one without an end, torn by the death of its writer, is left out. */
export const decodeLines = (text: string): ReadonlyArray<Line> =>
  text
    .split("\n")
    .slice(0, -1)
    .filter((line) => line !== "")
    .map((line) => Schema.decodeSync(JsonLine)(line))

/** How violations name an operation. */
export const describe = ({
  client,
  completedAt,
  error,
  f,
  id,
  invokedAt,
  mzxid,
  outcome,
  path,
  value,
  version
}: Operation) => {
  const details = Object.entries({ value, version, mzxid, error })
    .flatMap(([name, detail]) => (detail === undefined ? [] : [`${name} ${detail}`]))
    .join(", ")
  const to = Number.isFinite(completedAt) ? (completedAt / 1000).toFixed(2) : "?"
  return `${f} ${path} by ${client} (${id}, ${outcome}${details === "" ? "" : `, ${details}`}, ${(invokedAt / 1000).toFixed(2)}-${to} ms)`
}
