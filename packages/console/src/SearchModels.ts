/**
 * Searches and events as the server of the console shows them: Schemas. See `Models` for the others.
 *
 * This module is in the bundle of the page: it imports nothing that a browser lacks.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Hex, Stat } from "./Models.ts"

/**
 * An item of a search.
 *
 * - `found`: a znode. `excerpt` is the text around the first match in the data. The stat is missing where the ACL keeps it back.
 * - `progress`: how far it is; about four a second.
 * - `done`: the end. `isComplete` is false if there are more matches than one search gives, or a directory with more children
 *   than can be listed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SearchEvent = Schema.Union([
  Schema.TaggedStruct("found", {
    path: Schema.String,
    stat: Schema.optionalKey(Stat),
    where: Schema.Literals(["name", "data"]),
    excerpt: Schema.optionalKey(Schema.String)
  }),
  Schema.TaggedStruct("progress", {
    visited: Schema.Int,
    found: Schema.Int,
    /** The path that was visited last. */
    at: Schema.String
  }),
  Schema.TaggedStruct("done", {
    visited: Schema.Int,
    found: Schema.Int,
    isComplete: Schema.Boolean,
    /** How many znodes could not be searched because of their ACL. */
    forbidden: Schema.Int
  })
])

/**
 * An item of a search.
 *
 * @category models
 * @since 0.1.0
 */
export type SearchEvent = typeof SearchEvent.Type

/**
 * An event of a subtree. A `gap` says that events may have been missed: because the connection was lost, or because more
 * came than a page takes. `ready` comes once, when the watch is set.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TreeEvent = Schema.Struct({
  /** When the server of the console heard of it. */
  time: Schema.Finite,
  event: Schema.Literals(["ready", "created", "changed", "deleted", "gap"]),
  path: Schema.String,
  /** The transaction, which servers tell since ZooKeeper 3.9. */
  zxid: Schema.optionalKey(Hex)
})

/**
 * An event of a subtree.
 *
 * @category models
 * @since 0.1.0
 */
export type TreeEvent = typeof TreeEvent.Type
