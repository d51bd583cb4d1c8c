/** The znode at which relative paths start: `zk shell` has one, and a command of its own has none. */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Context from "effect/Context"

export const CurrentZnode = Context.Reference<string | undefined>("@effect-zookeeper/cli/CurrentZnode", {
  defaultValue: () => undefined
})

/**
 * The path that a person means. A slash at its end is left out, as completion leaves one; with `isPrefix` it stays, for
 * servers append a number there. Where there is a current znode, `.` and `..` are the znode itself and its parent.
 */
export const resolvePath = (current: string | undefined, path: string, isPrefix = false): string => {
  const end = isPrefix && path.length > 1 && path.endsWith("/") ? "/" : ""
  if (current === undefined) return path.replace(/(?<=.)\/+$/, "") + end
  let at = path.startsWith("/") ? "/" : current
  for (const name of path.split("/")) {
    if (name === "..") at = ZnodePath.parent(at) ?? "/"
    else if (name !== "" && name !== ".") at = ZnodePath.join(at, name)
  }
  return at === "/" ? at : at + end
}
