/** More clients that ask for ACLs, where a large live tree is read: servers take those of one connection one after the other. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Client, Reader } from "../frame/Client.ts"

/** How many more there are at most. */
const MORE = 7

/** The znodes from which on they save more time than they take to connect. */
const LARGE = 5000

/** Servers limit the connections from one address: those that have none by then are done without. */
const PATIENCE = "1 second"

/** Those for the tree at a path, which `zk` reads; none if it is small. */
export const openAclReaders = Effect.fnUntraced(function* (client: Client["Service"], zk: Reader, path: string) {
  const below = yield* Effect.orElseSucceed(zk.countDescendants(path), () => 0)
  if (below < LARGE) return []
  const opening = Effect.option(Effect.timeout(client.reader, PATIENCE))
  const opened = yield* Effect.replicateEffect(opening, MORE, { concurrency: "unbounded" })
  return opened.flatMap((one) => {
    const reader = Option.getOrUndefined(one)
    // At the prompt all commands have one session.
    return reader === undefined || reader.session === zk.session ? [] : [reader]
  })
})
