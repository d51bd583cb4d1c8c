/** Paths as the page needs them. */

export const nameOf = (path: string): string => (path === "/" ? "/" : path.slice(path.lastIndexOf("/") + 1))

export const parentOf = (path: string): string | undefined =>
  path === "/" ? undefined : path.slice(0, Math.max(1, path.lastIndexOf("/")))

export const childOf = (parent: string, name: string): string => (parent === "/" ? `/${name}` : `${parent}/${name}`)

/** The ancestors from the root down to the path itself. */
export const trail = (path: string): ReadonlyArray<string> => {
  const parts = path.split("/").filter((name) => name !== "")
  return ["/", ...parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`)]
}

export const isWithin = (path: string, ancestor: string): boolean =>
  ancestor === "/" || path === ancestor || path.startsWith(`${ancestor}/`)

/** The number at the end of the name of a sequential znode. */
export const sequenceOf = (name: string): string | undefined => /\d{10}$/.exec(name)?.[0]
