/** Clients of the run's shared server, each under a chroot of its own. */
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ZooKeeper from "../src/ZooKeeper.ts"

/** A client in the Scope of the test. */
export const connect = (
  options: ZooKeeper.Options
): Effect.Effect<ZooKeeper.Service, ZooKeeper.StartError, Scope.Scope> =>
  Effect.map(Layer.build(Layer.fresh(ZooKeeper.layer(options))), (context) => Context.get(context, ZooKeeper.ZooKeeper))

/** A client under a fresh chroot that exists. */
export const connectFresh = Effect.fnUntraced(function* (name: string, options: ZooKeeper.Options = {}) {
  const { chroot, connectString } = TestServer.fresh(name)
  const zk = yield* connect({ servers: connectString, ...options })
  yield* zk.ensurePath("/")
  return { zk, chroot, connectString }
})

export const text = (data: Uint8Array): string => new TextDecoder().decode(data)

/** What a stream gives, one by one. */
export const pulled = <A, E>(stream: Stream.Stream<A, E>) =>
  Effect.gen(function* () {
    const queue = yield* Queue.unbounded<A, E>()
    yield* Effect.forkScoped(
      Effect.matchCauseEffect(
        Stream.runForEach(stream, (a) => Queue.offer(queue, a)),
        { onFailure: (cause) => Queue.failCause(queue, cause), onSuccess: () => Effect.void }
      )
    )
    return Queue.take(queue).pipe(
      Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.die("no element") })
    )
  })

/** The error of an effect, which must have one of this tag. */
export const failure = <A, E extends { readonly _tag: string }, const T extends E["_tag"], R>(
  effect: Effect.Effect<A, E, R>,
  tag: T
): Effect.Effect<Extract<E, { readonly _tag: T }>, E | Error, R> =>
  Effect.matchEffect(effect, {
    onSuccess: (): Effect.Effect<never, Error> => Effect.fail(new Error(`a success where ${tag} was expected`)),
    onFailure: (error): Effect.Effect<Extract<E, { readonly _tag: T }>, E> =>
      hasTag<E, T>(error, tag) ? Effect.succeed(error) : Effect.fail(error)
  })

const hasTag = <E extends { readonly _tag: string }, T extends string>(
  error: E,
  tag: T
): error is Extract<E, { readonly _tag: T }> => error._tag === tag
