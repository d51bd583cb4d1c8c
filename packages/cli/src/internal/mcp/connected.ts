/** The session of `zk mcp`, made by the first tool that needs one: the others answer without, as when there is no quorum. */
import type { Service } from "@effect-zookeeper/client/Service"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { toFailure, type ToolFailure } from "./untrusted.ts"

/** Runs a tool with the session. The failures of the tool are about the paths that it was asked for. */
export type WithSession = <A, E extends Problem>(
  asked: ReadonlyArray<string>,
  use: (zk: Service) => Effect.Effect<A, E>
) => Effect.Effect<A, ToolFailure>

/** An attempt that failed, or a session that is over for good, is followed by another attempt with the next tool. */
export const makeConnected = <E extends Problem>(connect: Effect.Effect<Service, E, Scope.Scope>) =>
  Effect.map(Effect.scope, (scope): WithSession => {
    let zk: Service | undefined
    const attempt = Effect.flatMap(Scope.fork(scope), (own) =>
      Scope.provide(connect, own).pipe(
        Effect.onExit((exit) => (Exit.isFailure(exit) ? Scope.close(own, exit) : Effect.void)),
        Effect.tap((made) =>
          Effect.sync(() => {
            zk = made
          })
        )
      )
    )
    // Tools that are called together get the same session.
    const connected = Semaphore.makeUnsafe(1).withPermits(1)(
      Effect.suspend(() => (zk === undefined || isOver(zk) ? attempt : Effect.succeed(zk)))
    )
    return (asked, use) =>
      Effect.flatMap(Effect.mapError(connected, toFailure(...asked)), (zk) =>
        Effect.mapError(use(zk), toFailure(...asked))
      )
  })

// ---- internal

interface Problem {
  readonly _tag: string
  readonly message: string
  readonly path?: string | undefined
}

const isOver = ({ session }: Service): boolean => session.state._tag === "Closed" || session.state._tag === "AuthFailed"
