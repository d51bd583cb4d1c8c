/**
 * The tree of a cluster, live: a stream for each open directory, one for the stats of the rows in sight, and pages of names
 * when they come into sight. Everything that arrives is applied at once and shown with the next frame.
 */
import type * as Models from "@effect-zookeeper/console/Models"
import type { ReadFailure } from "@effect-zookeeper/console/ProtocolError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { batch, createEffect, createSignal, on, onCleanup } from "solid-js"
import { line } from "../model/text.ts"
import { nameOf, parentOf, trail } from "../model/znodePath.ts"
import { describe } from "../link/failures.ts"
import type { Failure } from "../link/follow.ts"
import { limitsBefore, usePage } from "../shell/page.ts"
import { oldestBeside } from "./room.ts"
import { TreeModel } from "./TreeModel.ts"

/** The part of a row beside the name of its znode. */
export interface Seen {
  readonly stat: Models.Stat | undefined
  /** The servers keep the stat back from clients that may not read the znode. */
  readonly isForbidden: boolean
  /** When it came or changed while one looked; 0 if it has not. */
  readonly changedAt: number
}

export interface TreeStore {
  readonly model: TreeModel
  /** Grows with each frame in which the rows are different. */
  readonly revision: () => number
  readonly seen: (path: string) => Seen | undefined
  readonly open: (path: string) => void
  readonly close: (path: string) => void
  readonly filter: (path: string, text: string) => void
  /** Opens all ancestors and finds the row, also in a directory of which only the first names are here. */
  readonly reveal: (path: string) => void
  /** The row that was revealed need not stay in sight any more: a person has moved. */
  readonly release: () => void
  readonly showRows: (first: number, last: number) => void
  /** The failure that keeps the root from being listed. */
  readonly problem: () => Failure<ReadFailure> | undefined
}

interface Hooks {
  /** Before the rows change, and after: to keep what is in sight where it is. */
  readonly before: () => void
  readonly after: () => void
  readonly onRevealed: (path: string) => void
  /** Brings a row back into sight that was revealed before. */
  readonly keepInSight: (path: string) => void
}

/** The rows of a cluster when one left the tree for another view: they are shown again at once, and listed anew. */
const rowsBefore = new Map<string, { readonly model: TreeModel; readonly seen: Map<string, Seen> }>()

/** Directories that stay open then. */
const keptOpen = 50

export const makeTreeStore = (cluster: string, hooks: Hooks): TreeStore => {
  const { hello, link, run, say } = usePage()
  const { client } = link
  const { model, seen } = rowsBefore.get(cluster) ?? { model: new TreeModel(), seen: new Map<string, Seen>() }
  /** The directories whose names are from before. */
  const old = new Set(model.openPaths())
  const directories = new Map<string, Fiber.Fiber<unknown, unknown>>()
  const pages = new Set<string>()
  let rows: { readonly paths: string; readonly fiber: Fiber.Fiber<unknown, unknown> } | undefined
  let inSight: readonly [first: number, last: number] = [0, 0]
  let goal: string | undefined
  /** The path that was to be shown, and that a filter hides. */
  let hidden: string | undefined
  /** The row that one went to. It stays in sight while what was open before comes back above it. */
  let pinned: string | undefined
  let isPinSettled = false
  let isOver = false
  let isLookingSoon = false

  const [revision, setRevision] = createSignal(0)
  const [problem, setProblem] = createSignal<Failure<ReadFailure>>()
  const limits = () => hello()?.limits ?? limitsBefore

  // Changes are applied as they come, and the rows are made once a frame.
  const waiting: Array<() => void> = []
  let frame = 0
  const change = (apply: () => void): void => {
    waiting.push(apply)
    if (frame === 0) frame = requestAnimationFrame(flush)
  }
  const flush = (): void => {
    frame = 0
    if (isOver) return
    hooks.before()
    batch(() => {
      for (const apply of waiting.splice(0)) apply()
      setRevision((revision) => revision + 1)
    })
    hooks.after()
    followGoal()
    keepPinned()
    lookSoon()
  }

  const open = (path: string, index?: number): void => {
    if (directories.has(path)) return
    change(() => {
      if (!model.open(path, index)) return
      listen(path)
      makeRoom(path)
    })
  }

  /** Each open directory is a stream. Some have to be left for the znode that is shown, and for all other views. */
  const makeRoom = (path: string): void => {
    const most = Math.floor(limits().streams * 0.75)
    while (directories.size > most) {
      const oldest = oldestBeside([...directories.keys()], path)
      if (oldest === undefined) return
      closeNow(oldest)
      say(`${most} directories are open at a time: ${line(oldest)} was closed.`)
    }
  }

  const listen = (path: string): void => {
    stop(path)
    const filter = model.filterOf(path)
    const events = client.directory({ cluster, path, limit: limits().names, ...(filter === "" ? {} : { filter }) })
    directories.set(
      path,
      run(
        Stream.runForEach(events, (event) =>
          Effect.sync(() => {
            if (path === model.root) setProblem()
            change(() => {
              old.delete(path)
              model.apply(path, event)
              if (event._tag === "changed") for (const { name } of event.come) markNew(path, name)
              for (const open of directories.keys()) if (!model.isOpen(open)) stop(open)
            })
          })
        ).pipe(
          Effect.tapError((error) =>
            Effect.sync(() => {
              // The rows stay while a connection is lost: the banner says so.
              if (error._tag === "RpcClientError" || error._tag === "Unavailable") return
              if (path === model.root) setProblem(error)
              else
                change(() => {
                  old.delete(path)
                  model.fail(path, describe(error))
                })
            })
          ),
          Effect.retry({ schedule: Schedule.spaced("1 second"), while: ({ _tag }) => _tag === "Unavailable" }),
          Effect.ignore
        )
      )
    )
  }

  const stop = (path: string): void => {
    const fiber = directories.get(path)
    directories.delete(path)
    if (fiber !== undefined) run(Fiber.interrupt(fiber))
  }

  const closeNow = (path: string): void => {
    model.close(path)
    for (const open of [...directories.keys()]) if (!model.isOpen(open)) stop(open)
  }

  const markNew = (parent: string, name: string): void => {
    const path = parent === "/" ? `/${name}` : `${parent}/${name}`
    seen.set(path, { stat: undefined, isForbidden: false, changedAt: performance.now() })
  }

  // ---------------------------------------------------------------------------
  // rows in sight
  // ---------------------------------------------------------------------------

  /** Rows that only pass by while one scrolls are not asked for. */
  const lookSoon = (): void => {
    if (isLookingSoon) return
    isLookingSoon = true
    run(
      Effect.delay(
        Effect.sync(() => {
          isLookingSoon = false
          if (!isOver) lookAtRows()
        }),
        rows === undefined ? 0 : 60
      )
    )
  }

  const lookAtRows = (): void => {
    const paths: Array<string> = []
    const last = Math.min(inSight[1], inSight[0] + limits().rows)
    for (let index = inSight[0]; index < last; index += 1) {
      const row = model.rowAt(index)
      if (row?._tag === "Znode") paths.push(row.path)
      if (row?._tag === "Hole") askForPage(row.place.parent, row.place.index)
    }
    const joined = paths.toSorted().join("\n")
    if (joined === rows?.paths) return
    const before = rows
    const stats = client.rows({ cluster, paths })
    // The new stream begins before the old one ends, so that the watches of both stay set.
    const fiber = run(
      Stream.runForEach(stats, (group) => Effect.sync(() => change(() => group.forEach(noteRow)))).pipe(
        Effect.retry({ schedule: Schedule.spaced("1 second"), while: ({ _tag }) => _tag === "Unavailable" }),
        Effect.ignore
      )
    )
    rows = { paths: joined, fiber }
    if (before !== undefined) run(Effect.delay(Fiber.interrupt(before.fiber), 200))
    forget(new Set(paths))
  }

  const noteRow = ({ isForbidden = false, path, stat }: Models.Row): void => {
    const before = seen.get(path)
    const isChange =
      before?.stat !== undefined &&
      stat !== undefined &&
      (before.stat.mzxid !== stat.mzxid || before.stat.czxid !== stat.czxid)
    seen.set(path, { stat, isForbidden, changedAt: isChange ? performance.now() : (before?.changedAt ?? 0) })
  }

  /** Stats of rows out of sight are old: they are kept for a while, for scrolling back, and not for ever. */
  const forget = (inSight: ReadonlySet<string>): void => {
    if (seen.size < 3000) return
    for (const path of seen.keys()) if (!inSight.has(path)) seen.delete(path)
  }

  const askForPage = (path: string, index: number, then?: () => void): void => {
    const size = limits().names
    const offset = Math.floor(index / size) * size
    const key = `${offset} ${path}`
    if (pages.has(key)) return
    pages.add(key)
    const filter = model.filterOf(path)
    run(
      client.directoryPage({ cluster, path, offset, limit: size, ...(filter === "" ? {} : { filter }) }).pipe(
        Effect.map(({ names, offset, revision }) =>
          change(() => {
            pages.delete(key)
            model.applyPage(path, revision, offset, names)
            then?.()
          })
        ),
        Effect.catch(() =>
          Effect.delay(
            Effect.sync(() => pages.delete(key)),
            "1 second"
          )
        )
      )
    )
  }

  // ---------------------------------------------------------------------------
  // going to a path
  // ---------------------------------------------------------------------------

  const reveal = (path: string): void => {
    goal = path
    hidden = undefined
    change(() => undefined)
  }

  const isListing = (): boolean => model.openPaths().some((path) => model.isListing(path) || old.has(path))

  const keepPinned = (): void => {
    if (pinned === undefined) return
    hooks.keepInSight(pinned)
    if (goal !== undefined || waiting.length > 0 || isListing()) isPinSettled = false
    else if (isPinSettled) pinned = undefined
    else {
      // The rows have their heights with the next frame.
      isPinSettled = true
      change(() => undefined)
    }
  }

  /** One step towards the path that is to be shown; the rest follows when names have come. */
  const followGoal = (): void => {
    if (goal === undefined) return
    for (const step of trail(goal)) {
      const parent = parentOf(step)
      if (parent !== undefined) {
        if (!model.isOpen(parent)) return open(parent)
        if (model.indexOf(step) === undefined) {
          if (model.counts(parent) === undefined || old.has(parent)) return
          if (!findPage(parent, nameOf(step))) {
            hidden = model.filterOf(parent) === "" ? undefined : goal
            goal = undefined
          }
          return
        }
      }
    }
    const found = goal
    goal = undefined
    pinned = found
    isPinSettled = false
    hooks.onRevealed(found)
  }

  /** Asks for the page in which a name may be: by halves, for names are sorted. False if it is nowhere. */
  const findPage = (parent: string, name: string): boolean => {
    const count = model.counts(parent)?.matching ?? 0
    let low = 0
    let high = count - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const there = model.nameAt(parent, middle)
      if (there === undefined) {
        askForPage(parent, middle)
        return true
      }
      if (there === name) return true
      if (there < name) low = middle + 1
      else high = middle - 1
    }
    return false
  }

  // Whatever ran on a connection that was lost begins again on the next.
  createEffect(
    on(link.epoch, () => {
      for (const path of model.openPaths()) listen(path)
      pages.clear()
      rows = undefined
      change(() => undefined)
    })
  )
  onCleanup(() => {
    isOver = true
    for (const path of model.openPaths().slice(keptOpen)) model.close(path)
    for (const path of model.openPaths()) model.setFilter(path, "")
    rowsBefore.set(cluster, { model, seen })
    cancelAnimationFrame(frame)
    for (const path of [...directories.keys()]) stop(path)
    if (rows !== undefined) run(Fiber.interrupt(rows.fiber))
  })

  open(model.root)
  return {
    model,
    revision,
    problem,
    seen: (path) => seen.get(path),
    open,
    close: (path) => change(() => closeNow(path)),
    reveal,
    release: () => {
      pinned = undefined
    },
    filter: (path, text) =>
      change(() => {
        if (!model.isOpen(path) || model.filterOf(path) === text) return
        model.setFilter(path, text)
        // Its names are those of the filter before, until it is listed anew.
        old.add(path)
        listen(path)
        if (text === "" && hidden !== undefined) reveal(hidden)
      }),
    showRows: (first, last) => {
      inSight = [first, last]
      change(() => undefined)
    }
  }
}
