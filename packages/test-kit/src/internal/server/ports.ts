/**
 * Free loopback ports for servers that must be told theirs.
 *
 * They are chosen below the range from which systems hand out ports to outgoing connections, so that a client's socket
 * never takes the port of a server that is down for a moment. Test processes that run side by side choose from shares of
 * their own. Others may still pick the same one: a process that starts a server tries again with other ports when its first
 * start fails.
 */
import * as Effect from "effect/Effect"
import * as Crypto from "node:crypto"
import * as Net from "node:net"

const lowest = 12_000
const highest = 32_000
const shares = 4

/** `count` different ports on which nothing listens at this moment. */
export const freePorts = Effect.fnUntraced(function* (count: number) {
  const ports: Array<number> = []
  const size = (highest - lowest) / shares
  const first = lowest + (Number(process.env["VITEST_POOL_ID"] ?? 0) % shares) * size
  while (ports.length < count) {
    const port = Crypto.randomInt(first, first + size)
    if (!ports.includes(port) && (yield* isFree(port))) ports.push(port)
  }
  return ports
})

const isFree = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const server = Net.createServer()
    server.once("error", () => resume(Effect.succeed(false)))
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      server.close(() => resume(Effect.succeed(true)))
    })
  })
