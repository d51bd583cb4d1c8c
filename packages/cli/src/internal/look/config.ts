/** `zk config`: the members of the ensemble. */
import type { EnsembleConfig } from "@effect-zookeeper/client/Models"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Output from "../../Output.ts"
import { Client } from "../frame/Client.ts"
import { tableOf } from "../output/columns.ts"
import { printOne } from "../output/Printer.ts"
import { shown } from "../output/text.ts"

export interface Input {
  readonly raw: boolean
}

export const config = Effect.fnUntraced(function* ({ raw }: Input) {
  const zk = yield* (yield* Client).reader
  yield* printConfig(yield* zk.getConfig, raw)
})

export const printConfig = (found: EnsembleConfig, raw: boolean) => {
  const value = {
    version: found.version,
    members: found.members.map(({ addresses, client, id, role }) => ({
      id,
      role,
      addresses,
      ...(Option.isSome(client) ? { client: client.value } : {})
    }))
  }
  return printOne(Output.Config, value, (_, style) => {
    if (raw) return `${found.raw.trimEnd()}\n`
    const version = `${style.dim("version")}  ${Output.formatHex(value.version)}\n`
    if (value.members.length === 0) return `${version}no members: it is a single server (standalone)\n`
    const rows = value.members.map(({ addresses, client, id, role }) => ({
      id: String(id),
      role,
      quorum: shown(addresses.join(" ")),
      clients: shown(client ?? "-")
    }))
    return version + tableOf(columns, ["id", "role", "clients", "quorum"], rows, style.width)
  })
}

// ---- internal

const columns = [
  { name: "id", title: "ID" },
  { name: "role", title: "ROLE" },
  { name: "quorum", title: "QUORUM", canCut: true },
  { name: "clients", title: "CLIENTS" }
] as const
