/**
 * The Promise form of a recipe, derived from the recipe. The client's `PromiseAdapter` derives most of it; guarded effects
 * of the application and Scopes that have to be closed have an adapter each here.
 */
import { acquireForked } from "@effect-zookeeper/client/Detached"
import * as PromiseAdapter from "@effect-zookeeper/client/PromiseAdapter"
import type { CallOptions, Promised } from "@effect-zookeeper/client/PromiseAdapter"
import type { PromiseClient } from "@effect-zookeeper/client/PromiseClient"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { isLostAround, isReleased } from "../locks/ownership.ts"

// The types of these APIs are declared by hand where methods have type parameters, which no mapped type keeps. Here, in
// one place, the derived values are asserted to have these types, and the tests of each recipe check both together.

/** The requirements of a recipe's members, which the client provides. */
type Requirements = ZooKeeper.ZooKeeper | Scope.Scope

/** Makes a recipe that does not wait for anything, at once; throws for an invalid argument. */
export const makeSync = <T, E>(zk: PromiseClient, make: Effect.Effect<T, E, Requirements>): T => zk.runSync(make)

/** The members that can be derived without further help. */
export const promisify = <T>(zk: PromiseClient, value: T): Promised<T> =>
  PromiseAdapter.promisify(ignoreReleased(zk.run), value, { exact: true })

/**
 * Once the holder itself has given it back, `lost` stays pending: a rejection without a handler would end the process.
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
 * A callback as an effect that can be guarded. It gets the effect's argument, and a signal that is aborted when it has to
 * stop. The effect waits for it even then, because before it settles its work may go on.
 */
export const guardedCallback =
  <Adapted, A>(zk: PromiseClient, f: (input: Adapted & { readonly signal: AbortSignal }) => PromiseLike<A> | A) =>
  (input: object): Effect.Effect<A, unknown> =>
    Effect.flatMap(isLostAround, (isLost) =>
      Effect.callback((resume) => {
        const controller = new AbortController()
        const settled = Deferred.makeUnsafe<void>()
        const finish = (exit: Exit.Exit<A, unknown>) => {
          Deferred.doneUnsafe(settled, Effect.void)
          resume(exit)
        }
        const promised = { ...promisify(zk, input), signal: signalOf(controller, isLost) }
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
    )

/**
 * After a standstill of the process a callback may go on before anything has reported the loss. So reading the signal
 * reads the clocks, and aborts it first if need be.
 */
const signalOf = (controller: AbortController, isLost: () => boolean): AbortSignal => {
  const { signal } = controller
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

/** Something that was acquired, with the means to give it back. */
export type Releasable<T> = T & {
  /**
   * Gives it back; may be called again. Closing the client gives it back, too. Rejects with the errors of giving it back.
   */
  readonly release: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** Acquires in a Scope that the caller closes. `declared` gives the members that cannot be derived. */
export const acquireReleasable = <Adapted, E, T extends object = object>(
  zk: PromiseClient,
  acquire: Effect.Effect<T, E, Requirements>,
  call: CallOptions | undefined,
  declared?: (value: T) => object
): Promise<Releasable<Adapted>> =>
  acquireReleasableOption<Adapted, E, T>(zk, Effect.asSome(acquire), call, declared).then(
    (promised) => promised as Releasable<Adapted>
  )

/** The same for an effect that may acquire nothing. */
export const acquireReleasableOption = <Adapted, E, T extends object = object>(
  zk: PromiseClient,
  acquire: Effect.Effect<Option.Option<T>, E, Requirements>,
  call: CallOptions | undefined,
  declared: (value: T) => object = () => ({})
): Promise<Releasable<Adapted> | undefined> => {
  let scope: Scope.Closeable | undefined
  return zk
    .run(
      acquireForked(
        (restore, own) => {
          scope = own
          const release = () => zk.run(Scope.close(own, Exit.void))
          return Effect.map(restore(acquire), (acquired) => {
            if (Option.isNone(acquired)) return new OpaqueAcquired(undefined)
            const { value } = acquired
            return new OpaqueAcquired(
              mergeMembers(promisify<object>(zk, value), declared(value), { release, [Symbol.asyncDispose]: release })
            )
          })
        },
        ({ value }) => value !== undefined
      ),
      call
    )
    .then(
      ({ value }) => value as Releasable<Adapted> | undefined,
      async (error: unknown) => {
        // A call that is aborted at the moment of its success has acquired something that no caller gets. A closed client
        // has released it.
        if (scope !== undefined) await zk.run(Scope.close(scope, Exit.void)).catch(() => {})
        throw error
      }
    )
}

/** The members of all objects, later ones in place of earlier ones; getters stay getters. */
const mergeMembers = (...objects: ReadonlyArray<object>): object => {
  const all = {}
  for (const object of objects) Object.defineProperties(all, Object.getOwnPropertyDescriptors(object))
  return all
}

/** Keeps derived members from being derived again. */
class OpaqueAcquired extends PromiseAdapter.Opaque {
  readonly value: object | undefined
  constructor(value: object | undefined) {
    super()
    this.value = value
  }
}
