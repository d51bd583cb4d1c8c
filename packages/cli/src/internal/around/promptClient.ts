/** The client of the prompt, whose lines share one session. */
import { ConnectFailed } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Client, connectAnew, connectTimeoutOf, make, type StartError } from "../frame/Client.ts"
import type { Settings } from "../frame/Settings.ts"
import type { Shared } from "../frame/sharedClient.ts"

/**
 * Its session goes on until the Scope closes. Commands that hold something have their own. Servers that have lost their data, as
 * `zk server` does, are as good as new to a person, and to a command of its own.
 */
export const makeShared = (settings: Settings): Effect.Effect<Shared, StartError, Scope.Scope> =>
  Effect.map(connectAnew(settings, "", { sessionExpiry: "recreate", ensembleReset: "accept" }), (root) =>
    share(settings, root)
  )

// ---- internal

const share = (settings: Settings, root: ZooKeeper.Service): Shared => ({
  settings,
  client: (ofLine) => clientOf(ofLine, root),
  session: root.session,
  withAuth: Effect.fnUntraced(function* (auth) {
    const more = { ...settings, auth: [...settings.auth, ...auth] }
    // A refusal ends a session, which is to be another one than that of the prompt.
    yield* Effect.scoped(connectAnew(more, "", { sessionExpiry: "fail" }))
    yield* Effect.forEach(auth, ({ credentials, scheme }) => root.addAuth(scheme, credentials), { discard: true })
    return share(more, root)
  })
})

/**
 * The session outlives an outage, and its requests wait. A person at the prompt does not: each line fails after the time in which
 * a command of its own would have given up to connect.
 */
const clientOf = (settings: Settings, root: ZooKeeper.Service): Client["Service"] => {
  const asked = Deferred.makeUnsafe<void>()
  const reachable = whenReachable(settings, root)
  const client = make(settings, (settings, chroot, options) => {
    if (options?.sessionTimeout !== undefined) return connectAnew(settings, chroot, options)
    const here = Effect.andThen(reachable, chroot === "" ? Effect.succeed(root) : root.withChroot(chroot))
    // What outlasts an expiry outlasts an outage, too.
    return options?.sessionExpiry === undefined ? Effect.ensuring(here, Deferred.succeed(asked, undefined)) : here
  })
  const outage = Deferred.await(asked).pipe(
    Effect.andThen(Stream.runForEach(root.session.states, () => reachable)),
    Effect.andThen(Effect.never)
  )
  return { ...client, outage }
}

/** Waits for a connection. Where there is none in time, another session says why. */
const whenReachable = (settings: Settings, { session }: ZooKeeper.Service): Effect.Effect<void, StartError> =>
  Effect.suspend(() => {
    if (!isWaiting(session)) return Effect.void
    const connected = session.states.pipe(
      Stream.takeWhile(() => isWaiting(session)),
      Stream.runDrain
    )
    const duration = connectTimeoutOf(settings.timeout)
    const soon = Effect.timeoutOrElse(connected, {
      duration,
      orElse: () =>
        new ConnectFailed({
          attempts: [
            { server: settings.servers, reason: "a server has answered, but the prompt has not its session back" }
          ]
        })
    })
    const another = Effect.scoped(connectAnew(settings, "", { sessionExpiry: "fail" }))
    return Effect.raceFirst(connected, Effect.andThen(another, soon))
  })

/** Whether a request would wait. It fails at once where the session is over for good. */
const isWaiting = ({ state: { _tag } }: ZooKeeper.Service["session"]): boolean =>
  _tag !== "Connected" && _tag !== "AuthFailed" && _tag !== "Closed"
