import { createEffect, createMemo, createSignal, on, Show } from "solid-js"
import { line } from "../model/text.ts"
import { isWithin, nameOf, parentOf } from "../model/znodePath.ts"
import { Icon } from "../parts/Icon.tsx"
import { laterComponent } from "../parts/later.tsx"
import { type Scroller, VirtualRows } from "../parts/VirtualRows.tsx"
import { describe } from "../link/failures.ts"
import { usePage } from "../shell/page.ts"
import { SearchResults } from "./SearchResults.tsx"
import { at, type Cursor, indexOf, landing, onRow, pathOf, settled } from "./cursor.ts"
import { keepScroll } from "./keepScroll.ts"
import { makeTreeStore } from "./treeStore.ts"
import { TreeRow } from "./TreeRow.tsx"
import { treeKey } from "./treeKeys.ts"

const ZnodeView = laterComponent(async () => (await import("../znode/ZnodeView.tsx")).ZnodeView)

/** The tree on one side and the znode that was chosen on the other; on a narrow screen one of them. */
export const TreeView = () => {
  const page = usePage()
  const { cluster, go, route } = page
  const [cursor, setCursor] = createSignal<Cursor>(at(route().path))
  const [query, setQuery] = createSignal<{ readonly path: string; readonly text: string }>()
  const [isZnodeInFront, setZnodeInFront] = createSignal(route().path !== "/")
  let scroller: Scroller | undefined

  const scroll = keepScroll(() => scroller)
  const store = makeTreeStore(cluster()?.name ?? "", {
    before: () => scroll.before(store.model),
    after: () => scroll.after(store.model),
    onRevealed: (path) => {
      setCursor(at(path))
      show(path)
    },
    keepInSight: (path) => show(path)
  })
  const show = (path: string): void => {
    const index = store.model.indexOf(path)
    if (index !== undefined) scroller?.reveal(index)
  }
  const showCursor = (): void => {
    const index = indexOf(model, cursor())
    if (index !== undefined) scroller?.reveal(index)
  }
  const { model, revision } = store

  createEffect(on(() => route().path, store.reveal))
  createEffect(on(route, () => setZnodeInFront(route().path !== "/"), { defer: true }))

  /** Where the cursor was last seen, for the time when its znode is gone. */
  let indexBefore: number | undefined
  createEffect(
    on([revision, cursor], ([, cursor]) => {
      const now = settled(model, cursor, indexBefore)
      indexBefore = indexOf(model, now)
      if (now !== cursor) setCursor(now)
    })
  )
  /** The directory that the filter is for: the one under the cursor if it is open, or the one that it is in. */
  const scope = createMemo(() => {
    revision()
    const now = cursor()
    if (now._tag === "Hole") return now.parent
    return model.isOpen(now.path) ? now.path : (parentOf(now.path) ?? "/")
  })
  const cursorIndex = createMemo(() => {
    revision()
    // One that a filter hides is where its directory is.
    return indexOf(model, cursor()) ?? model.indexOf(scope()) ?? 0
  })
  const filter = createMemo(() => {
    revision()
    return model.filterOf(scope())
  })
  const counts = createMemo(() => {
    revision()
    return model.counts(scope())
  })

  const moveTo = (index: number): void => {
    const end = landing(model, cursorIndex(), index)
    scroller?.reveal(end)
    setCursor(onRow(model, end) ?? cursor())
  }
  const choose = (path: string): void => {
    setCursor(at(path))
    setZnodeInFront(true)
    if (path !== route().path) go({ path })
  }
  const close = (path: string): void => {
    store.close(path)
    if (isWithin(pathOf(cursor()), path)) setCursor(at(path))
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    store.release()
    treeKey(event, {
      model,
      cursor: cursor(),
      index: cursorIndex(),
      pageSize: scroller?.rowsInSight() ?? 20,
      moveTo,
      choose,
      open: store.open,
      close
    })
  }

  return (
    <div class="split" classList={{ "znode-in-front": isZnodeInFront() }}>
      <section class="tree-pane" aria-label="Tree">
        <form
          class="tree-tools"
          role="search"
          onSubmit={(event) => {
            event.preventDefault()
            if (filter() !== "") setQuery({ path: scope(), text: filter() })
          }}
        >
          <label class="filter">
            <Icon name="search" />
            <input
              data-key="/"
              type="search"
              autocomplete="off"
              spellcheck={false}
              aria-label={`Filter the names in ${line(scope())}. Enter searches everything below it.`}
              placeholder={`Filter ${scope() === "/" ? "names in /" : `names in ${line(nameOf(scope()))}`}`}
              value={filter()}
              onInput={(event) => {
                setQuery()
                store.filter(scope(), event.currentTarget.value)
              }}
              onKeyDown={(event) => {
                if (event.key === "Escape") {
                  setQuery()
                  store.filter(scope(), "")
                  scroller?.focus()
                }
                if (event.key === "ArrowDown") {
                  event.preventDefault()
                  scroller?.focus()
                }
              }}
            />
            <Show when={filter() === ""}>
              <kbd class="wide-only">/</kbd>
            </Show>
          </label>
          <Show when={filter() !== ""}>
            <button class="button" title="Search names and data of everything below (Enter)">
              Search below
            </button>
          </Show>
        </form>
        <Show
          when={query()}
          keyed
          fallback={
            <>
              <div class="tree-head" aria-hidden="true">
                <span>
                  <Show when={filter() !== "" && counts()}>
                    {(counts) => (
                      <>
                        {counts().matching.toLocaleString("en")} of {counts().total.toLocaleString("en")} names
                      </>
                    )}
                  </Show>
                </span>
                <span class="cell-children">children</span>
                <span class="cell-size">data</span>
                <span class="cell-time">changed</span>
              </div>
              <div class="tree">
                <VirtualRows
                  ref={(made) => {
                    scroller = made
                    // Search results stood in the place of the rows.
                    showCursor()
                  }}
                  onAppear={showCursor}
                  count={(revision(), model.count())}
                  keyAt={(index) => (revision(), model.rowAt(index)?.key ?? `?${index}`)}
                  onSight={store.showRows}
                  scroller={{
                    role: "tree",
                    "aria-label": `Znodes of ${cluster()?.name ?? ""}`,
                    "aria-activedescendant": `row-${cursorIndex()}`,
                    onKeyDown,
                    onWheel: store.release,
                    onPointerDown: store.release
                  }}
                >
                  {(_, index) => (
                    <TreeRow
                      store={store}
                      index={index()}
                      isCursor={index() === cursorIndex()}
                      chosen={route().path}
                      onChoose={(path) => {
                        scroller?.focus()
                        choose(path)
                      }}
                      onClose={close}
                    />
                  )}
                </VirtualRows>
                <Show when={store.problem()}>
                  {(problem) => (
                    <div class="empty" role="alert">
                      <h2>The tree cannot be read</h2>
                      <p>{describe(problem())}</p>
                    </div>
                  )}
                </Show>
              </div>
            </>
          }
        >
          {(query) => <SearchResults query={query} onChoose={choose} onClose={() => setQuery()} />}
        </Show>
      </section>
      <section class="znode-pane" aria-label="Znode">
        <ZnodeView onBack={() => setZnodeInFront(false)} />
      </section>
    </div>
  )
}
