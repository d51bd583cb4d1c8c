/** The persistent nodes that tests of them share. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as PersistentNode from "../../src/PersistentNode.ts"
import { withClient } from "./targets.ts"

/** A persistent node that can be closed before the test ends. */
export const closable = (zk: ZooKeeper.Service, path: string, options?: PersistentNode.Options) =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const node = yield* withClient(zk)(PersistentNode.make(path, options)).pipe(
      Effect.provideService(Scope.Scope, scope)
    )
    return { node, close: Scope.close(scope, Exit.void) }
  })
