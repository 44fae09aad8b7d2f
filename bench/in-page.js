/** In the page: from the next letter that is typed until what the list found has been painted, in milliseconds. */
globalThis.timeNextLetter = () => {
  globalThis.updated = new Promise((resolve) => {
    let pressed = 0
    const press = () => {
      pressed = performance.now()
    }
    document.addEventListener('input', press, { once: true, capture: true })
    const watch = new MutationObserver(() => {
      watch.disconnect()
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - pressed)))
    })
    watch.observe(document.getElementById('found'), { childList: true, characterData: true, subtree: true })
  })
}
