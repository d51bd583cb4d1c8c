import { parentOf } from "../model/znodePath.ts"
import type { TreeModel } from "./TreeModel.ts"

interface Tree {
  readonly model: TreeModel
  readonly cursor: string
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
      if (model.isOpen(cursor)) tree.moveTo(index + 1)
      else tree.open(cursor)
      break
    case "ArrowLeft": {
      const parent = parentOf(cursor)
      if (model.isOpen(cursor) && cursor !== "/") tree.close(cursor)
      else if (parent !== undefined) tree.moveTo(model.indexOf(parent) ?? 0)
      break
    }
    case "Enter":
    case " ":
      tree.choose(cursor)
      break
    default:
      return
  }
  event.preventDefault()
}
