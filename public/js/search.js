/**
 * The search in the bar: Ctrl or Cmd with K moves to it, arrow keys move through its matches, Escape closes them. The
 * switcher's field hides the organisations that do not have its words. Without this module Enter opens the search's page.
 */
export function watchSearch() {
  const field = document.getElementById('find')
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k' && field) {
      event.preventDefault()
      field.focus()
      field.select()
    } else if (field?.form.contains(event.target)) moveBetweenMatches(event, field)
  })
  document.addEventListener('input', ({ target }) => {
    if (target.dataset.filters) filterChoices(document.getElementById(target.dataset.filters), target.value)
  })
}

function moveBetweenMatches(event, field) {
  const stops = [field, ...field.form.querySelectorAll('#suggestions a')]
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (event.key === 'Escape' && event.target !== field) field.focus()
  else if (event.key === 'Escape') field.blur()
  else if (step) stops[stops.indexOf(event.target) + step]?.focus()
  else return
  event.preventDefault()
}

function filterChoices(overlay, text) {
  const words = fold(text).split(/\s+/)
  for (const section of overlay.querySelectorAll('[data-choices]')) {
    for (const choice of section.querySelectorAll('.choice, [data-choice]')) {
      const name = fold(choice.textContent)
      choice.hidden = !words.every((word) => name.includes(word) || name.replaceAll(' ', '').includes(word))
    }
    section.hidden = !section.querySelector(':is(.choice, [data-choice]):not([hidden])')
  }
}

/** Case and accents do not matter. */
function fold(text) {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll('ø', 'o').replaceAll('æ', 'ae')
}
