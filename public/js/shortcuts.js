const remembered = 'single-key-shortcuts'
const openPane = 'details:is(.dropdown, .organisation-menu)[open]'

/**
 * `/` goes to the filter, `?` shows the keys, arrows walk the rows, Escape leads back. The two signs can be switched
 * off, for who speaks to their computer (WCAG 2.2, 2.1.4).
 */
export function watchShortcuts() {
  const dialog = document.getElementById('shortcuts')
  const box = dialog?.querySelector('[type=checkbox]')
  if (box) {
    box.checked = isOn()
    box.addEventListener('change', () => remember(box.checked))
  }
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-shortcuts]')) dialog?.showModal()
    for (const pane of document.querySelectorAll(openPane)) if (!pane.contains(event.target)) pane.open = false
  })
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') walk(event)
    else if (event.key === 'Escape' && !dialog?.open) leave()
    else if (!isOn() || isTyping(event.target)) return
    else if (event.key === '?' && dialog) dialog.showModal()
    else if (event.key === '/' && filterOf()) {
      event.preventDefault()
      filterOf().focus()
      filterOf().select()
    }
  })
}

// Storage throws where the browser is told to keep nothing.
function isOn() {
  try {
    return localStorage.getItem(remembered) !== 'off'
  } catch {
    return true
  }
}

function remember(isChecked) {
  try {
    localStorage.setItem(remembered, isChecked ? 'on' : 'off')
  } catch {
    // The choice then holds for this page.
  }
}

/** From row to row, and from the first one back to the filter. */
function walk(event) {
  const here = document.activeElement
  const at = rows().findIndex((row) => row.contains(here))
  const isFilter = here === filterOf() && here !== null
  if (at === -1 && !isFilter) return
  const down = event.key === 'ArrowDown'
  if (at === -1 && !down) return
  const next = placeIn(rows()[at + (down ? 1 : -1)]) ?? (down ? undefined : filterOf())
  if (!next) return
  event.preventDefault()
  next.focus()
}

function leave() {
  const here = document.activeElement
  const pane = here?.closest(openPane)
  if (pane) {
    pane.open = false
    pane.querySelector('summary').focus()
  } else if (rows().some((row) => row.contains(here))) filterOf()?.focus()
}

function isTyping(element) {
  return element instanceof Element && element.closest('input:not([type=checkbox]), textarea, select, dialog')
}

function filterOf() {
  return document.getElementById('q') ?? document.getElementById('find')
}

function rows() {
  return [...document.querySelectorAll('main tbody tr')]
}

function placeIn(row) {
  return row?.querySelector('a, button')
}
