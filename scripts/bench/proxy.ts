/**
 * A TCP proxy in a process of its own, which drops its connections when it is told to: `proxy.ts <port of the server>`.
 *
 * Prints its port and the port of its control: any byte there drops all connections, and is answered
 * when that is done.
 */
import * as Net from "node:net"

const target = Number(process.argv[2])
const sockets = new Set<Net.Socket>()

const proxy = Net.createServer({ noDelay: true }, (down) => {
  const up = Net.connect({ port: target, host: "127.0.0.1", noDelay: true })
  for (const socket of [down, up]) {
    sockets.add(socket)
    socket.on("error", () => {})
    socket.once("close", () => {
      sockets.delete(socket)
      down.destroy()
      up.destroy()
    })
  }
  down.pipe(up)
  up.pipe(down)
})

const control = Net.createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {})
  socket.on("data", () => {
    for (const open of sockets) open.resetAndDestroy()
    socket.write("dropped")
  })
})

const listen = (server: Net.Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })

console.log(await listen(proxy), await listen(control))
// Its stdin is held by the process that started it: it ends with that.
process.stdin.once("close", () => process.exit(0)).resume()
