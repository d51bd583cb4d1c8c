/**
 * The file that `zk multi` reads: an operation of a transaction on each line, as JSON.
 *
 * ```json
 * {"op": "check", "path": "/app", "version": 3}
 * {"op": "create", "path": "/app/job-", "data": "payload", "mode": "persistentSequential"}
 * {"op": "set", "path": "/app/state", "data": "running", "version": 7}
 * {"op": "delete", "path": "/app/old"}
 * ```
 *
 * Empty lines, and lines that begin with `#`, are left out. A version that is left out means any. Data that is not text is
 * given as `base64`, or with `encoding` as `zk get --json` prints it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const path = Schema.String
const version = Schema.optionalKey(Schema.Int)
const data = {
  /** Text, unless `encoding` says otherwise. */
  data: Schema.optionalKey(Schema.String),
  /** What `data` is (default: `utf8`). */
  encoding: Schema.optionalKey(Schema.Literals(["utf8", "base64"])),
  /** Any bytes, instead of `data`. */
  base64: Schema.optionalKey(Schema.String)
}

/**
 * One line.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Operation = Schema.Union([
  Schema.Struct({
    op: Schema.Literal("create"),
    path,
    ...data,
    mode: Schema.optionalKey(Schema.Literals(["persistent", "persistentSequential", "container"])),
    /** Entries as `scheme:id:permissions`, or the words `open`, `read-only` and `creator`, as `zk create --acl` takes them. */
    acl: Schema.optionalKey(Schema.Array(Schema.String))
  }),
  Schema.Struct({ op: Schema.Literal("set"), path, ...data, version }),
  Schema.Struct({ op: Schema.Literal("delete"), path, version }),
  Schema.Struct({ op: Schema.Literal("check"), path, version })
])

/**
 * One line.
 *
 * @category models
 * @since 0.1.0
 */
export type Operation = typeof Operation.Type
