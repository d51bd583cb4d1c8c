/** The persistent nodes that tests of them share. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as PersistentNode from "../../src/PersistentNode.ts"
import { closable as makeClosable, withClient } from "./targets.ts"

/** A persistent node that can be closed before the test ends. */
export const closable = (zk: ZooKeeper.Service, path: string, options?: PersistentNode.Options) =>
  Effect.map(makeClosable(withClient(zk)(PersistentNode.make(path, options))), ([node, close]) => ({ node, close }))
