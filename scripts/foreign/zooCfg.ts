/** The parts of a `zoo.cfg` that an embedded server can go by. */
import * as Fs from "node:fs"
import * as Path from "node:path"

export interface ZooCfg {
  readonly clientPort: number
  readonly tickTime: number
  readonly syncLimit: number
  readonly reconfigEnabled: boolean
  readonly dataDir: string
  /** The servers of the ensemble by their ids; empty for a server that is alone. */
  readonly servers: ReadonlyMap<number, string>
  /** The id of this server; 1 for one that is alone. */
  readonly id: number
}

export const readZooCfg = (file: string): ZooCfg => {
  const entries = new Map<string, string>()
  for (const line of Fs.readFileSync(file, "utf8").split("\n")) {
    const at = line.indexOf("=")
    if (at > 0 && !line.startsWith("#")) entries.set(line.slice(0, at).trim(), line.slice(at + 1).trim())
  }
  const number = (key: string, otherwise: number) => Number(entries.get(key) ?? otherwise)
  const dataDir = entries.get("dataDir") ?? Path.dirname(file)
  const servers = new Map(
    [...entries]
      .filter(([key]) => key.startsWith("server."))
      .map(([key, value]): [number, string] => [Number(key.slice("server.".length)), value])
      .toSorted(([a], [b]) => a - b)
  )
  return {
    clientPort: number("clientPort", 2181),
    tickTime: number("tickTime", 2000),
    syncLimit: number("syncLimit", 5),
    reconfigEnabled: entries.get("reconfigEnabled") === "true",
    dataDir,
    servers,
    id: servers.size === 0 ? 1 : Number(Fs.readFileSync(Path.join(dataDir, "myid"), "utf8"))
  }
}
