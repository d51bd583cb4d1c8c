/**
 * The Promise form of a recipe, derived from the recipe: what a service cannot be derived with by the client's `PromiseAdapter`
 * alone, effects of the application that are guarded and Scopes that are to be closed, has one adapter each.
 */
import * as PromiseAdapter from "@effect-zookeeper/client/PromiseAdapter"
import type { CallOptions, Promised } from "@effect-zookeeper/client/PromiseAdapter"
import type { PromiseClient } from "@effect-zookeeper/client/PromiseClient"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { isReleased } from "../locks/ownership.ts"

// The types of the faces are declared by hand where methods have type parameters, which no mapped type keeps: what is
// derived at run time is asserted to be that here, in one place, and the tests of each recipe hold both together.

/** What the members of a recipe need, while they are run by a client. */
type Requirements = ZooKeeper.ZooKeeper | Scope.Scope

/** Makes what waits for nothing, at once; a mistake in an argument is thrown. */
export const makeSync = <T, E>(zk: PromiseClient, make: Effect.Effect<T, E, Requirements>): T => zk.runSync(make)

/** The members that can be derived without more. */
export const promisify = <T>(zk: PromiseClient, value: T): Promised<T> =>
  PromiseAdapter.promisify(ignoreReleased(zk.run), value, { exact: true })

/**
 * Whoever asked for `lost` and then gave back what was held in the normal way is told nothing: a rejection that nobody
 * waits for any more would end the process.
 */
const ignoreReleased = (run: PromiseClient["run"]): PromiseClient["run"] =>
  Object.assign(
    <A, E>(effect: Effect.Effect<A, E, Requirements>, options?: CallOptions): Promise<A> =>
      new Promise((resolve, reject) => {
        run(effect, options).then(resolve, (error: unknown) => {
          if (!isReleased(error)) reject(error)
        })
      }),
    { isEnd: run.isEnd }
  )

/**
 * A callback as an effect that can be guarded. It gets what the effect would get, and a signal that is aborted when it has to
 * stop; and it is waited for even then, for until it has settled nobody knows what it does.
 */
export const guardedCallback =
  <Adapted, A>(zk: PromiseClient, f: (input: Adapted & { readonly signal: AbortSignal }) => PromiseLike<A> | A) =>
  (input: object): Effect.Effect<A, unknown> =>
    Effect.callback((resume) => {
      const controller = new AbortController()
      const settled = Deferred.makeUnsafe<void>()
      const finish = (exit: Exit.Exit<A, unknown>) => {
        Deferred.doneUnsafe(settled, Effect.void)
        resume(exit)
      }
      const promised = { ...promisify(zk, input), signal: signalOf(controller, input) }
      const call = async () => f(promised as Adapted & typeof promised)
      call().then(
        (value) => finish(Exit.succeed(value)),
        (error: unknown) => finish(Exit.fail(error))
      )
      return Effect.suspend(() => {
        controller.abort()
        return Deferred.await(settled)
      })
    })

/**
 * After a standstill of the process a callback may go on before anything has told of the loss. So a signal that is looked at
 * looks at the clocks, and is aborted by the time that it answers.
 */
const signalOf = (controller: AbortController, { isLost }: { readonly isLost?: () => boolean }): AbortSignal => {
  const { signal } = controller
  if (isLost === undefined) return signal
  const aborted = (): boolean => {
    if (isLost()) controller.abort()
    return Reflect.get(AbortSignal.prototype, "aborted", signal)
  }
  return Object.defineProperties(signal, {
    aborted: { get: aborted },
    throwIfAborted: {
      value: () => {
        if (aborted()) throw signal.reason
      }
    }
  })
}

/** Something that was acquired, with the ways to give it back. */
export type Releasable<T> = T & {
  /** Gives it back; may be called again. Closing the client does it too. */
  readonly release: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** Runs what acquires in a Scope, and lets the caller close it. `declared` gives the members that cannot be derived. */
export const acquireReleasable = <Adapted, E, T extends object = object>(
  zk: PromiseClient,
  acquire: Effect.Effect<T, E, Requirements>,
  call: CallOptions | undefined,
  declared?: (value: T) => object
): Promise<Releasable<Adapted>> =>
  acquireReleasableOption<Adapted, E, T>(zk, Effect.asSome(acquire), call, declared).then(
    (promised) => promised as Releasable<Adapted>
  )

/** The same for what may acquire nothing. */
export const acquireReleasableOption = <Adapted, E, T extends object = object>(
  zk: PromiseClient,
  acquire: Effect.Effect<Option.Option<T>, E, Requirements>,
  call: CallOptions | undefined,
  declared: (value: T) => object = () => ({})
): Promise<Releasable<Adapted> | undefined> => {
  let scope: Scope.Closeable | undefined
  return zk
    .run(
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const own = (scope = yield* Scope.fork(yield* Effect.scope))
          const exit = yield* Effect.exit(restore(Effect.provideService(acquire, Scope.Scope, own)))
          if (Exit.isFailure(exit) || Option.isNone(exit.value)) {
            yield* Scope.close(own, exit)
            return new OpaqueAcquired(Exit.isFailure(exit) ? yield* Effect.failCause(exit.cause) : undefined)
          }
          const { value } = exit.value
          const release = () => zk.run(Scope.close(own, Exit.void))
          return new OpaqueAcquired(
            mergeMembers(promisify<object>(zk, value), declared(value), { release, [Symbol.asyncDispose]: release })
          )
        })
      ),
      call
    )
    .then(
      ({ value }) => value as Releasable<Adapted> | undefined,
      async (error: unknown) => {
        // A call that is aborted in the moment of its success has acquired what nobody gets. A closed client has released it.
        if (scope !== undefined) await zk.run(Scope.close(scope, Exit.void)).catch(() => {})
        throw error
      }
    )
}

/** The members of all, those of a later one in the place of those of an earlier; getters stay getters. */
const mergeMembers = (...objects: ReadonlyArray<object>): object => {
  const all = {}
  for (const object of objects) Object.defineProperties(all, Object.getOwnPropertyDescriptors(object))
  return all
}

/** Keeps what is derived already from being looked through again. */
class OpaqueAcquired extends PromiseAdapter.Opaque {
  readonly value: object | undefined
  constructor(value: object | undefined) {
    super()
    this.value = value
  }
}
