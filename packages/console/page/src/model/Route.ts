/** The part of the address after `#`: which cluster, which view and which path, so that a link leads to what one sees. */

export const views = ["tree", "ensemble", "recipes", "sessions", "events"] as const

export type View = (typeof views)[number]

export interface Route {
  /** The name of a profile; undefined for the first one. */
  readonly cluster: string | undefined
  readonly view: View
  readonly path: string
}

export const home: Route = { cluster: undefined, view: "tree", path: "/" }

/** `#/local/tree/app/config`. A part that cannot be read is left out: an address never gives a blank page. */
export const parse = (hash: string): Route => {
  const [cluster, view, ...names] = hash
    .replace(/^#?\/?/, "")
    .split("/")
    .map(decode)
  return {
    cluster: cluster === "" ? undefined : cluster,
    view: views.find((one) => one === view) ?? "tree",
    path: `/${names.filter((name) => name !== "").join("/")}`
  }
}

export const format = ({ cluster, path, view }: Route): string =>
  `#/${[cluster ?? "", view, ...path.split("/").filter((name) => name !== "")].map(encodeURIComponent).join("/")}`

/** Where a text leads that a person typed or pasted: a path, or the link of a page like this one. Names may end with a space. */
export const destination = (text: string): Partial<Route> | undefined => {
  const link = /^\s*https?:\/\/[^/#\s]+\/?(#\/.*?)\s*$/.exec(text)?.[1]
  if (link !== undefined) return parse(link)
  const path = text.trimStart()
  return path.startsWith("/") ? { view: "tree", path: path.replace(/\/+$/, "") || "/" } : undefined
}

/** The path for another view: a session is no path there. */
export const pathFor = ({ path, view }: Route): string => (view === "sessions" ? "/" : path)

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
