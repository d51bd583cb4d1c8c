/**
 * The JSON that the commands of backups and files print, as Schemas; those of the other commands are in `Output`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Hex, Time } from "./Output.ts"

/**
 * The document of `backup` and of `snapshot export`. `from` and `to` are the newest transactions when the reading began and ended.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Backup = Schema.Struct({
  file: Schema.String,
  path: Schema.String,
  from: Schema.String,
  to: Schema.String,
  isConsistent: Schema.Boolean,
  znodes: Schema.Number,
  bytes: Schema.Number,
  ephemerals: Schema.Number,
  unreadable: Schema.Array(Schema.String)
})

/**
 * An item of `restore` and `copy`. A dry run prints all steps but those of znodes that are the same; a run prints those that leave
 * something as it is. The last item of both is a {@link StepTotal}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Step = Schema.Struct({
  step: Schema.Literals(["create", "overwrite", "leave", "skip", "raise", "notRaised"]),
  path: Schema.String,
  /** Why it is left, skipped or not raised. */
  reason: Schema.optionalKey(Schema.String),
  /** The parts that are overwritten. */
  parts: Schema.optionalKey(Schema.Array(Schema.Literals(["data", "acl"]))),
  /** The session that owns it in the source. */
  session: Schema.optionalKey(Hex),
  /** The number of the next sequential child, before and after. */
  from: Schema.optionalKey(Schema.Number),
  to: Schema.optionalKey(Schema.Number)
})

/**
 * The last item of `restore` and `copy`: how many there are of each {@link Step}, and of znodes that were the same before. With
 * `dryRun` they would be done, and else they were.
 *
 * @category schemas
 * @since 0.1.0
 */
export const StepTotal = Schema.Struct({
  step: Schema.Literal("total"),
  dryRun: Schema.Boolean,
  create: Schema.Number,
  overwrite: Schema.Number,
  same: Schema.Number,
  leave: Schema.Number,
  skip: Schema.Number,
  raise: Schema.Number,
  notRaised: Schema.Number
})

/**
 * An item of `mirror`: how it is doing. There is one where something but the lag has changed, at most each second, and one each
 * 30 seconds in any case.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MirrorStatus = Schema.Struct({
  /** `catchingUp`: the whole tree is looked at. `following`: changes are written as they come. */
  phase: Schema.Literals(["catchingUp", "following"]),
  /** How far it is behind, in milliseconds. */
  lag: Schema.Number,
  /** All transactions of the source up to this one are in the target. */
  zxid: Hex,
  /** How many znodes were written and deleted since the start. */
  written: Schema.Number,
  deleted: Schema.Number,
  /** The numbers of sequential znodes that stay below those of the source, and why. Paths are those in the target. */
  notRaised: Schema.Array(
    Schema.Struct({ path: Schema.String, reason: Schema.String, from: Schema.Number, to: Schema.Number })
  )
})

/**
 * An item of `diff` and of `snapshot diff`. Paths begin at the roots of the two trees.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Difference = Schema.Struct({
  difference: Schema.Literals(["onlyLeft", "onlyRight", "changed"]),
  path: Schema.String,
  parts: Schema.optionalKey(Schema.Array(Schema.Literals(["data", "acl", "kind", "counter"])))
})

/**
 * An item of `snapshot top`: a znode and the subtree below it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Top = Schema.Struct({
  path: Schema.String,
  /** The bytes of its data. */
  bytes: Schema.Number,
  children: Schema.Number,
  /** The znodes of the subtree, with itself, and the bytes of their data. */
  subtreeZnodes: Schema.Number,
  subtreeBytes: Schema.Number
})

/**
 * An item of `log dump` and `log grep`: a transaction, without its data.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Transaction = Schema.Struct({
  zxid: Hex,
  time: Time,
  session: Hex,
  type: Schema.String,
  paths: Schema.Array(Schema.String),
  /** The change in short words. */
  text: Schema.String
})

/**
 * The document of `log stats`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const LogStats = Schema.Struct({
  transactions: Schema.Number,
  bytes: Schema.Number,
  firstZxid: Hex,
  lastZxid: Hex,
  from: Time,
  to: Time,
  types: Schema.Array(Schema.Struct({ type: Schema.String, count: Schema.Number })),
  sessions: Schema.Array(Schema.Struct({ session: Hex, count: Schema.Number })),
  paths: Schema.Array(Schema.Struct({ path: Schema.String, count: Schema.Number, bytes: Schema.Number }))
})

/**
 * The document of `log at`: the last transaction by a time or zxid.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Moment = Schema.Struct({
  zxid: Hex,
  znodes: Schema.Number,
  sessions: Schema.Number,
  /** Whether the tree agrees with the digests that the servers have written. */
  digest: Schema.Literals(["same", "none", "different"]),
  snapshot: Schema.optionalKey(Schema.String),
  /** How many transactions were replayed on the snapshot. */
  transactions: Schema.Number
})
