/** Reading znodes for as long as a command runs: across sessions, and with the reason where nothing can be read. */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { Client, type Reader } from "../frame/Client.ts"
import { UsageError } from "../frame/errors.ts"
import { Printer } from "../output/Printer.ts"

/** Why a znode could not be read. */
export type Unread = "gone" | "forbidden"

export type WatchError = Exclude<ReadError, { readonly _tag: "NoNode" | "NoAuth" }>

/** The result of a read, or the reason why there is none. After an expiry it reads in the next session. */
export const readOr = <A>(
  read: Effect.Effect<A, ReadError>
): Effect.Effect<A | { readonly unread: Unread }, WatchError> =>
  Effect.retry(read, { while: ({ _tag }) => _tag === "SessionExpired", schedule: Schedule.spaced("200 millis") }).pipe(
    Effect.catchTags({
      NoNode: () => Effect.succeed({ unread: "gone" as const }),
      NoAuth: () => Effect.succeed({ unread: "forbidden" as const })
    })
  )

/** The client of a command that goes on until it has seen `count` things; outages are told meanwhile. */
export const openWatcher = Effect.fnUntraced(function* (path: string, count: number | undefined) {
  if (count === 0) return yield* new UsageError({ message: "--count must be 1 or more" })
  yield* Effect.fromResult(ZnodePath.validate(path))
  const zk = yield* (yield* Client).watcher
  yield* Effect.forkScoped(noteOutages(zk))
  return zk
})

// ---- internal

/** Tells people, on the standard error, when nothing can be seen. */
const noteOutages = (zk: Reader): Effect.Effect<void, never, Printer> =>
  Effect.flatMap(Printer, ({ mode, note }) => {
    if (mode !== "text") return Effect.void
    let said = ""
    const say = (text: string) => {
      if (text === said) return Effect.void
      said = text
      return note(text)
    }
    return Stream.runForEach(zk.session.states, (state) => {
      switch (state._tag) {
        case "Connected": {
          if (said === "") return Effect.void
          said = ""
          return note(`connected again, to ${state.server.host}:${state.server.port}`)
        }
        case "EnsembleBehind":
          return say("the servers lag behind what was seen, or have lost data; waiting until they have caught up")
        case "Disconnected":
        case "Expired":
          return said === "" ? say("the connection is lost; looking for a server") : Effect.void
        default:
          return Effect.void
      }
    })
  })
