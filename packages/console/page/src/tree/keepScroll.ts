import type { Scroller } from "../parts/VirtualRows.tsx"
import type { TreeModel } from "./TreeModel.ts"

/** Keeps the rows in sight where they are while others come and go above them. */
export const keepScroll = (scroller: () => Scroller | undefined) => {
  let anchors: ReadonlyArray<readonly [path: string, index: number]> = []
  return {
    before: (model: TreeModel): void => {
      const first = scroller()?.firstInSight() ?? 0
      // At the top one wants to see what comes there. Some rows may be gone afterwards, so several are remembered.
      anchors =
        first === 0
          ? []
          : [0, 1, 2, 3, 5, 8, 13].flatMap((further) => {
              const row = model.rowAt(first + further)
              return row?._tag === "Znode" ? [[row.path, first + further] as const] : []
            })
    },
    after: (model: TreeModel): void => {
      for (const [path, index] of anchors) {
        const now = model.indexOf(path)
        if (now === undefined) continue
        scroller()?.shift(now - index)
        return
      }
    }
  }
}
