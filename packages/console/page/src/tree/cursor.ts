/** The row of the tree that the keys act on. */
import { childOf, parentOf } from "../model/znodePath.ts"
import type { TreeModel } from "./TreeModel.ts"

export type Cursor =
  | { readonly _tag: "Znode"; readonly path: string }
  /** The place of a name that is not here yet. */
  | { readonly _tag: "Hole"; readonly parent: string; readonly index: number }

export const at = (path: string): Cursor => ({ _tag: "Znode", path })

/** The directory or znode that the cursor is at or in. */
export const pathOf = (cursor: Cursor): string => (cursor._tag === "Znode" ? cursor.path : cursor.parent)

export const indexOf = (model: TreeModel, cursor: Cursor): number | undefined =>
  cursor._tag === "Znode" ? model.indexOf(cursor.path) : model.indexAt(cursor.parent, cursor.index)

/**
 * The row where a move from one row to another ends. Remarks are passed over, in the direction of the move, and at the end of
 * the tree against it.
 */
export const landing = (model: TreeModel, from: number, to: number): number => {
  const last = model.count() - 1
  const wanted = Math.max(0, Math.min(last, to))
  const step = to < from ? -1 : 1
  const isRow = (index: number) => model.rowAt(index)?._tag !== "Remark"
  for (let index = wanted; index >= 0 && index <= last; index += step) if (isRow(index)) return index
  for (let index = wanted; index >= 0 && index <= last; index -= step) if (isRow(index)) return index
  return 0
}

/** The cursor on a row; undefined on a remark. */
export const onRow = (model: TreeModel, index: number): Cursor | undefined => {
  const row = model.rowAt(index)
  if (row?._tag === "Znode") return at(row.path)
  return row?._tag === "Hole" ? { _tag: "Hole", parent: row.place.parent, index: row.place.index } : undefined
}

/**
 * The cursor after the rows have changed, if it was at this index before: on the name that has come to its place, or, if
 * its znode is gone, on what is there now.
 */
export const settled = (model: TreeModel, cursor: Cursor, index: number | undefined): Cursor => {
  if (cursor._tag === "Hole") {
    const name = model.nameAt(cursor.parent, cursor.index)
    if (name !== undefined) return at(childOf(cursor.parent, name))
  }
  if (indexOf(model, cursor) !== undefined || index === undefined) return cursor
  // A filter hides it, and may show it again.
  const parent = cursor._tag === "Hole" ? cursor.parent : parentOf(cursor.path)
  if (parent !== undefined && model.filterOf(parent) !== "") return cursor
  return onRow(model, landing(model, index, index)) ?? cursor
}
