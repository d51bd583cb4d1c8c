import { parentOf } from "../model/znodePath.ts"
import type { Cursor } from "./cursor.ts"
import type { TreeModel } from "./TreeModel.ts"

interface Tree {
  readonly model: TreeModel
  readonly cursor: Cursor
  readonly index: number
  readonly pageSize: number
  readonly moveTo: (index: number) => void
  readonly choose: (path: string) => void
  readonly open: (path: string) => void
  readonly close: (path: string) => void
}

/** The keys of a tree, as the ARIA pattern for trees has them. */
export const treeKey = (event: KeyboardEvent, tree: Tree): void => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const { cursor, index, model, pageSize } = tree
  switch (event.key) {
    case "ArrowDown":
      tree.moveTo(index + 1)
      break
    case "ArrowUp":
      tree.moveTo(index - 1)
      break
    case "PageDown":
      tree.moveTo(index + pageSize)
      break
    case "PageUp":
      tree.moveTo(index - pageSize)
      break
    case "Home":
      tree.moveTo(0)
      break
    case "End":
      tree.moveTo(model.count() - 1)
      break
    case "ArrowRight":
      if (cursor._tag === "Hole") break
      if (!model.isOpen(cursor.path)) tree.open(cursor.path)
      else if (isChild(model, cursor.path, index + 1)) tree.moveTo(index + 1)
      break
    case "ArrowLeft": {
      const parent = cursor._tag === "Hole" ? cursor.parent : parentOf(cursor.path)
      if (cursor._tag === "Znode" && model.isOpen(cursor.path) && cursor.path !== "/") tree.close(cursor.path)
      else if (parent !== undefined) tree.moveTo(model.indexOf(parent) ?? 0)
      break
    }
    case "Enter":
    case " ":
      if (cursor._tag === "Znode") tree.choose(cursor.path)
      break
    default:
      return
  }
  event.preventDefault()
}

/** An open directory may have no child, or only a remark. */
const isChild = (model: TreeModel, path: string, index: number): boolean => {
  const row = model.rowAt(index)
  return row !== undefined && row._tag !== "Remark" && row.place.parent === path
}
