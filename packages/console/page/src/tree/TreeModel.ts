/**
 * The open part of a tree as rows, without an array of all rows: the row at an index is found by walking the directories
 * that are open, so that a name that comes or goes among a million costs as much as among ten.
 *
 * Names of a large directory arrive by pages, and those that are not here yet are holes.
 */
import type { DirectoryEvent } from "@effect-zookeeper/console/Models"
import { childOf, nameOf, parentOf } from "../model/znodePath.ts"

export type Row =
  | {
      readonly _tag: "Znode"
      readonly key: string
      readonly path: string
      readonly depth: number
      readonly place: Place
    }
  /** A name that is not here yet. */
  | { readonly _tag: "Hole"; readonly key: string; readonly depth: number; readonly place: Place }
  /** Says something about a directory: that it is being listed, is empty, or may not be listed. */
  | {
      readonly _tag: "Remark"
      readonly key: string
      readonly parent: string
      readonly depth: number
      readonly remark: Remark
    }

export type Remark = "listing" | "noMatch" | "forbidden" | "gone" | "tooMany" | "failed"

/** The place of a row among its siblings. */
export interface Place {
  readonly parent: string
  readonly index: number
  readonly siblings: number
}

interface Branch {
  readonly path: string
  names: Array<string | undefined>
  total: number
  revision: number
  state: "listing" | "listed" | "forbidden" | "gone" | "tooMany" | "failed"
  problem: string
  filter: string
  /** The children that are open, with their places in `names`. */
  readonly open: Map<string, number>
}

export class TreeModel {
  readonly #branches = new Map<string, Branch>()

  constructor(root = "/") {
    this.root = root
  }

  readonly root: string

  // ---------------------------------------------------------------------------
  // what is open
  // ---------------------------------------------------------------------------

  isOpen(path: string): boolean {
    return this.#branches.has(path)
  }

  /** Whether a directory is open and its names have not come yet. */
  isListing(path: string): boolean {
    return this.#branches.get(path)?.state === "listing"
  }

  openPaths(): ReadonlyArray<string> {
    return [...this.#branches.keys()]
  }

  /** Opens a directory that is the root, or whose parent is open. Its names come by `apply`. */
  open(path: string, index?: number): boolean {
    if (this.#branches.has(path)) return true
    const parent = parentOf(path)
    if (path !== this.root) {
      const branch = parent === undefined ? undefined : this.#branches.get(parent)
      const place = branch === undefined ? -1 : (index ?? branch.names.indexOf(nameOf(path)))
      if (branch === undefined || place < 0) return false
      branch.open.set(nameOf(path), place)
    }
    this.#branches.set(path, {
      path,
      names: [],
      total: 0,
      revision: -1,
      state: "listing",
      problem: "",
      filter: "",
      open: new Map()
    })
    return true
  }

  /** Closes a directory and all that is open below it. */
  close(path: string): void {
    const branch = this.#branches.get(path)
    if (branch === undefined) return
    for (const name of [...branch.open.keys()]) this.close(childOf(path, name))
    this.#branches.delete(path)
    const parent = parentOf(path)
    if (parent !== undefined) this.#branches.get(parent)?.open.delete(nameOf(path))
  }

  filterOf(path: string): string {
    return this.#branches.get(path)?.filter ?? ""
  }

  setFilter(path: string, filter: string): void {
    const branch = this.#branches.get(path)
    if (branch !== undefined) branch.filter = filter
  }

  counts(path: string): { readonly matching: number; readonly total: number } | undefined {
    const branch = this.#branches.get(path)
    return branch?.state === "listed" ? { matching: branch.names.length, total: branch.total } : undefined
  }

  // ---------------------------------------------------------------------------
  // what the server says
  // ---------------------------------------------------------------------------

  apply(path: string, event: DirectoryEvent): void {
    const branch = this.#branches.get(path)
    if (branch === undefined) return
    branch.revision = event.revision
    switch (event._tag) {
      case "listed": {
        const opened = [...branch.open]
        branch.names = [...event.names, ...holes(event.matching - event.names.length)]
        branch.total = event.total
        branch.state = "listed"
        branch.open.clear()
        for (const [name, before] of opened) {
          const now = event.names.indexOf(name)
          // A name further on is looked for where it was, until its page is here.
          if (now >= 0) branch.open.set(name, now)
          else if (before >= event.names.length && before < event.matching) branch.open.set(name, before)
          else this.close(childOf(path, name))
        }
        return
      }
      case "changed":
        branch.total = event.total
        for (const { index, name } of event.gone.toReversed()) {
          branch.names.splice(index, 1)
          if (branch.open.has(name)) this.close(childOf(path, name))
          move(branch.open, index, -1)
        }
        for (const { index, name } of event.come) {
          branch.names.splice(index, 0, name)
          move(branch.open, index, 1)
        }
        return
      case "tooMany":
      case "gone":
      case "forbidden":
        for (const name of [...branch.open.keys()]) this.close(childOf(path, name))
        branch.names = []
        branch.total = 0
        branch.state = event._tag
    }
  }

  /** The directory cannot be listed, and will not be by itself. */
  fail(path: string, problem: string): void {
    const branch = this.#branches.get(path)
    if (branch === undefined) return
    branch.state = "failed"
    branch.problem = problem
  }

  problemOf(path: string): string {
    return this.#branches.get(path)?.problem ?? ""
  }

  /** Puts names into their places. A page of another revision is ignored: false, and it is to be asked for again. */
  applyPage(path: string, revision: number, offset: number, names: ReadonlyArray<string>): boolean {
    const branch = this.#branches.get(path)
    if (branch === undefined) return true
    if (branch.revision !== revision) return false
    for (const [index, name] of names.entries()) {
      if (offset + index < branch.names.length) branch.names[offset + index] = name
    }
    for (const [name, place] of [...branch.open]) {
      if (place < offset || place >= offset + names.length || branch.names[place] === name) continue
      const found = names.indexOf(name)
      if (found >= 0) branch.open.set(name, offset + found)
      else this.close(childOf(path, name))
    }
    return true
  }

  /** The hole at or after a place, so that its page can be asked for. */
  isHole(path: string, index: number): boolean {
    const branch = this.#branches.get(path)
    return branch !== undefined && index < branch.names.length && branch.names[index] === undefined
  }

  nameAt(path: string, index: number): string | undefined {
    return this.#branches.get(path)?.names[index]
  }

  /** The place of a name among those that are here. */
  placeOf(parent: string, name: string): number {
    return this.#branches.get(parent)?.names.indexOf(name) ?? -1
  }

  // ---------------------------------------------------------------------------
  // rows
  // ---------------------------------------------------------------------------

  /** The number of rows, with that of the root. */
  count(): number {
    return 1 + this.#below(this.root)
  }

  rowAt(index: number): Row | undefined {
    if (index === 0) return this.#znode(this.root, 0, { parent: "", index: 0, siblings: 1 })
    let path = this.root
    let rest = index - 1
    for (let depth = 1; ; depth += 1) {
      const branch = this.#branches.get(path)
      if (branch === undefined) return undefined
      const remark = remarkOf(branch)
      if (remark !== undefined) return rest === 0 ? this.#remark(path, depth, remark) : undefined
      let inside: { readonly name: string; readonly rest: number } | undefined
      let before = 0
      for (const [name, place] of byPlace(branch.open)) {
        if (rest <= place + before) break
        const rows = this.#below(childOf(path, name))
        if (rest <= place + before + rows) {
          inside = { name, rest: rest - (place + before) - 1 }
          break
        }
        before += rows
      }
      if (inside === undefined) {
        const place = rest - before
        if (place >= branch.names.length) return undefined
        const name = branch.names[place]
        const where = { parent: path, index: place, siblings: branch.names.length }
        return name === undefined
          ? { _tag: "Hole", key: `?${path} ${place}`, depth, place: where }
          : this.#znode(childOf(path, name), depth, where)
      }
      path = childOf(path, inside.name)
      rest = inside.rest
    }
  }

  /** The index of the row of a path; undefined if it is in no open directory, or not here yet. */
  indexOf(path: string): number | undefined {
    if (path === this.root) return 0
    const parent = parentOf(path)
    const above = parent === undefined ? undefined : this.indexOf(parent)
    const branch = parent === undefined ? undefined : this.#branches.get(parent)
    if (above === undefined || branch === undefined) return undefined
    const name = nameOf(path)
    const place = branch.open.get(name) ?? find(branch.names, name)
    return place < 0 ? undefined : this.#indexIn(branch, above, place)
  }

  /** The index of the row at a place of a directory, whether its name is here or not. */
  indexAt(parent: string, place: number): number | undefined {
    const above = this.indexOf(parent)
    const branch = this.#branches.get(parent)
    return above === undefined || branch === undefined || place >= branch.names.length
      ? undefined
      : this.#indexIn(branch, above, place)
  }

  #indexIn(branch: Branch, above: number, place: number): number {
    let index = above + 1 + place
    for (const [other, at] of branch.open) if (at < place) index += this.#below(childOf(branch.path, other))
    return index
  }

  #below(path: string): number {
    const branch = this.#branches.get(path)
    if (branch === undefined) return 0
    if (remarkOf(branch) !== undefined) return 1
    let rows = branch.names.length
    for (const name of branch.open.keys()) rows += this.#below(childOf(path, name))
    return rows
  }

  #znode(path: string, depth: number, place: Place): Row {
    return { _tag: "Znode", key: path, path, depth, place }
  }

  #remark(parent: string, depth: number, remark: Remark): Row {
    return { _tag: "Remark", key: `!${parent} ${remark}`, parent, depth, remark }
  }
}

const holes = (count: number): Array<undefined> => Array.from({ length: Math.max(0, count) }, () => undefined)

const remarkOf = ({ filter, names, state }: Branch): Remark | undefined => {
  if (state !== "listed") return state
  return names.length === 0 && filter !== "" ? "noMatch" : undefined
}

const byPlace = (open: ReadonlyMap<string, number>): ReadonlyArray<readonly [string, number]> =>
  [...open].toSorted(([, one], [, other]) => one - other)

const move = (open: Map<string, number>, from: number, by: number): void => {
  for (const [name, place] of open) if (place >= from) open.set(name, place + by)
}

/** Names are sorted by their code units. A search by halves works where there are no holes on its way. */
const find = (names: ReadonlyArray<string | undefined>, name: string): number => {
  let low = 0
  let high = names.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const there = names[middle]
    if (there === undefined) return names.indexOf(name)
    if (there === name) return middle
    if (there < name) low = middle + 1
    else high = middle - 1
  }
  return -1
}
