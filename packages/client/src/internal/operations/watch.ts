/**
 * The methods that watch: one event, all events, or the newest state (`changes.ts`).
 */
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import type { Gap, WatchEvent } from "@effect-zookeeper/protocol/WatchEvent"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { RequestPath } from "@effect-zookeeper/session/Session"
import type { ServerRefused, SessionError } from "@effect-zookeeper/session/SessionError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Service } from "../../Service.ts"
import { invalid } from "../validate.ts"
import { traced } from "../tracing.ts"
import { eventsOptions } from "../methodOptions.ts"
import { readData } from "../data.ts"
import { toClientChanged, toClientWatchEnd, toClient, withPath } from "../View.ts"
import type { View } from "../View.ts"
import { changes, untilClosed, type WatchEnd } from "./changes.ts"
import { isRenewed } from "./isRenewed.ts"

type Rows = "getAndWatch" | "existsAndWatch" | "getChildrenAndWatch" | "events" | "dataChanges" | "childrenChanges"

/** How many events may wait for a reader before they are replaced by one Gap. */
const eventBuffer = 8_192

export const makeWatch = (view: View): Pick<Service, Rows> => ({
  getAndWatch: (path) => withPath(view, path, (server) => watchData(view, { server, client: path })),
  existsAndWatch: (path) => withPath(view, path, (server) => watchExists(view, { server, client: path })),
  getChildrenAndWatch: (path) => withPath(view, path, (server) => watchChildren(view, { server, client: path })),
  events: (path, options) => {
    const mistake = KnownOptions.check(eventsOptions, options)
    if (mistake !== undefined) return Stream.fail(mistake)
    const rule = ZnodePath.check(path)
    return rule === undefined
      ? events(view, path, options?.recursive === true, options?.onReady)
      : Stream.fail(invalid("path", path, rule))
  },
  dataChanges: (path) =>
    changes(view, path, {
      read: (at) =>
        Effect.map(watchData(view, at), ({ changed, data, stat }) => ({ value: { data, stat }, stat, changed })),
      ageOf: ({ mzxid }) => ({ zxid: mzxid, size: 0 }),
      exists: (at) => watchExists(view, at)
    }),
  childrenChanges: (path) =>
    changes(view, path, {
      read: (at) =>
        Effect.map(watchChildren(view, at), ({ changed, children, stat }) => ({
          value: { children, stat },
          stat,
          changed
        })),
      // A counter of children that has reached its end moves the pzxid no more: of equal ones the longer list is the newer.
      ageOf: ({ numChildren, pzxid }) => ({ zxid: pzxid, size: numChildren }),
      exists: (at) => watchExists(view, at)
    })
})

// -----------------------------------------------------------------------------
// one event
// -----------------------------------------------------------------------------

const watchData = (view: View, path: RequestPath) =>
  Effect.map(traced(view.session.info, "getData", path.client, view.session.watchData(path)), (watched) => {
    view.versions?.rememberData(path.server, watched.response.stat.version)
    return {
      data: readData(watched.response.data),
      stat: watched.response.stat,
      changed: toClientChanged(view, watched.changed)
    }
  })

const watchExists = (view: View, path: RequestPath) =>
  Effect.map(traced(view.session.info, "exists", path.client, view.session.watchExists(path)), (watched) => ({
    stat: Option.map(Option.fromUndefinedOr(watched.response), ({ stat }) => stat),
    changed: toClientChanged(view, watched.changed)
  }))

const watchChildren = (view: View, path: RequestPath) =>
  Effect.map(traced(view.session.info, "getChildren2", path.client, view.session.watchChildren(path)), (watched) => ({
    children: watched.response.children,
    stat: watched.response.stat,
    changed: toClientChanged(view, watched.changed)
  }))

// -----------------------------------------------------------------------------
// all events
// -----------------------------------------------------------------------------

const events = (
  view: View,
  path: string,
  recursive: boolean,
  onReady: (() => void) | undefined
): Stream.Stream<WatchEvent | Gap, SessionError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded<WatchEvent | Gap, WatchEnd | ServerRefused>()
      const server = ZnodePath.toServer(view.chroot, path)
      const listening = view.session.watchPersistently(
        { server, client: path },
        {
          recursive,
          listener: {
            onEvent: (event) => {
              if (Queue.sizeUnsafe(queue) >= eventBuffer) {
                // For a reader this far behind, a fresh look is better than a long past.
                while (Queue.sizeUnsafe(queue) > 0) Queue.takeUnsafe(queue)
                Queue.offerUnsafe(queue, { type: "Gap", path })
              }
              Queue.offerUnsafe(queue, { ...event, path: toClient(view, event.path) })
            },
            onEnd: (reason) => {
              Queue.failCauseUnsafe(queue, Cause.fail(toClientWatchEnd(view, reason)))
            }
          }
        }
      )
      // If the session expires before the server has the watch, the stream begins in the new session.
      let begun = yield* Effect.exit(listening)
      while (yield* isRenewed(view, begun)) begun = yield* Effect.exit(listening)
      onReady?.()
      return Stream.fromQueue(queue)
    })
  ).pipe(untilClosed)
