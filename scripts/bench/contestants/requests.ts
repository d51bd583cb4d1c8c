/**
 * The requests of a step, of either API: they have the same rows.
 */
import { Op } from "@effect-zookeeper/client"
import { dataSize, pathsOf, type Step } from "../contestant.ts"

const data = new Uint8Array(dataSize)

/** The rows that steps use, with results of any type. */
interface Rows<Asked> {
  readonly get: (path: string) => Asked
  readonly getChildren: (path: string) => Asked
  readonly create: (path: string, options: { readonly data: Uint8Array }) => Asked
  readonly set: (path: string, data: Uint8Array) => Asked
  readonly delete: (path: string) => Asked
  readonly transaction: (ops: ReadonlyArray<Op.Create>) => Asked
}

/** Makes the request of a number; `watch` sets a watch and keeps its waiter. */
export const makeRequests = <Asked>(
  zk: Rows<Asked>,
  step: Step,
  watch: (path: string) => Asked
): ((index: number) => Asked) => {
  const paths = pathsOf(step)
  switch (step.op) {
    case "get":
      return () => zk.get(step.path)
    case "children":
      return () => zk.getChildren(step.path)
    case "transaction":
      return (index) =>
        zk.transaction(paths.slice(index * step.size, (index + 1) * step.size).map((path) => Op.create(path, { data })))
    case "create":
      return (index) => zk.create(paths[index]!, { data })
    case "set":
      return (index) => zk.set(paths[index]!, data)
    case "delete":
      return (index) => zk.delete(paths[index]!)
    case "watch":
      return (index) => watch(paths[index]!)
  }
}
