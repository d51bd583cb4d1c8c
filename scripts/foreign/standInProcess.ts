/**
 * The process that stands for a server: `standInProcess SOCKET ARGUMENTS...`. It has no dependency, because it starts often.
 */
import * as Net from "node:net"

const [path = "", ...args] = process.argv.slice(2)
const socket = Net.connect({ path, allowHalfOpen: true })

socket.write(`${args.join("\0")}\n`)
socket.setEncoding("utf8").on("data", (problem: string) => {
  process.stderr.write(`${problem}\n`)
  process.exitCode = 1
})
// Ended in order: the member has stopped when the other side ends, too.
process.on("SIGTERM", () => socket.end())
process.on("SIGINT", () => socket.end())
socket.on("end", () => socket.end())
socket.on("error", () => process.exit(1))
