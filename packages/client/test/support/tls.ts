/** A real server with a secure port, and what clients of it show. */
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { targetOf } from "./faults.ts"

export const pair = ({ cert, key }: ZooKeeperServer.Tls["client"]) => ({ cert, key: Redacted.make(key) })

/** A secure server that demands a certificate of its clients, and the options of one that it lets in. */
export const makeRealServer = Effect.gen(function* () {
  const server = yield* ZooKeeperServer.make({ tls: true })
  const { tls = assert.fail("no TLS") } = server
  return { server, tls, secure: targetOf(tls.connectString), good: { ca: tls.ca, ...pair(tls.client) } }
})

export interface RealServer extends Effect.Success<typeof makeRealServer> {}
