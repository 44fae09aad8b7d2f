import { describe, expect, it } from 'vitest'
import type { StoredRecord } from '../../src/store/records.ts'
import { type Answer, currentOf, differences, reconcile } from '../../src/sync/reconcile.ts'

function at(minute: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 12, minute))
}

const now = at(30)

const listed = { msn: '123456', name: 'Fitness' }
const details = { msn: '123456', name: 'Fitness', configuration: { captureType: 'ReserveCapture' } }

function row(changes: Partial<StoredRecord> = {}): StoredRecord {
  return {
    key: '123456',
    first_seen_at: at(0),
    last_seen_at: at(0),
    changed_at: at(0),
    removed_at: null,
    removed_by: null,
    listed_digest: 'old',
    listed,
    details: null,
    ...changes,
  }
}

function inList(value: Answer['value'], askedAt = at(29)): Answer {
  return {
    source: 'list',
    key: '123456',
    value,
    digest: 'new',
    askedAt,
  }
}

function onItsOwn(value: Answer['value'], askedAt = at(29)): Answer {
  return {
    source: 'details',
    key: '123456',
    value,
    askedAt,
  }
}

describe('what a list says', () => {
  it('of something new: it has appeared', () => {
    const { record, change } = reconcile(undefined, inList(listed), now)
    expect(change).toEqual({ kind: 'added', fields: {} })
    expect(record).toMatchObject({
      listed,
      details: null,
      first_seen_at: now,
      changed_at: now,
      removed_at: null,
    })
  })

  it('of something known, the same: nothing is written', () => {
    const same = inList({ name: 'Fitness', msn: '123456' })
    expect(reconcile(row({ listed_digest: 'new' }), same, now)).toEqual({})
  })

  it('of something known, the same by another digest: the digest is written, and nothing else', () => {
    for (const removal of [{}, { removed_at: at(20), removed_by: 'details' as const }]) {
      const known = row(removal)
      expect(reconcile(known, inList(listed), now)).toEqual({ record: { ...known, listed_digest: 'new' } })
    }
  })

  it('of something known, another name: it has changed, from what to what', () => {
    const { record, change } = reconcile(row(), inList({ ...listed, name: 'Gym' }), now)
    expect(change).toEqual({ kind: 'changed', fields: { name: ['Fitness', 'Gym'] } })
    expect(record).toMatchObject({ listed_digest: 'new', changed_at: now, first_seen_at: at(0) })
  })

  it('holds against older details, once, and until the details say otherwise', () => {
    const known = row({ details })
    const renamed = reconcile(known, inList({ ...listed, name: 'Gym' }), now).record
    expect(renamed && currentOf(renamed)).toMatchObject({ name: 'Gym', configuration: details.configuration })
    const agreed = reconcile(renamed, onItsOwn({ ...details, name: 'Gym' }), now)
    expect(agreed.change).toBeUndefined()
  })

  it('a new name that the details told already is no second change', () => {
    const told = reconcile(row({ details }), onItsOwn({ ...details, name: 'Gym' }), now)
    expect(told.change?.fields).toEqual({ name: ['Fitness', 'Gym'] })
    const late = reconcile(told.record, inList({ ...listed, name: 'Gym' }), now)
    expect(late.change).toBeUndefined()
    expect(late.record && currentOf(late.record)['name']).toBe('Gym')
  })

  it('with members that nobody knows: kept, and a change of them is one', () => {
    const { record } = reconcile(undefined, inList({ ...listed, colour: 'orange' }), now)
    expect(record?.listed).toEqual({ ...listed, colour: 'orange' })
    const { change } = reconcile(record, inList({ ...listed, colour: 'blue' }), now)
    expect(change?.fields).toEqual({ colour: ['orange', 'blue'] })
  })

  it('by not having it: it is gone, once', () => {
    const { record, change } = reconcile(row(), inList(undefined), now)
    expect(change).toEqual({ kind: 'removed', fields: {} })
    expect(record).toMatchObject({ removed_at: now, removed_by: 'list', last_seen_at: at(0) })
    expect(reconcile(record, inList(undefined), now)).toEqual({})
  })

  it('by having it again: it is back, with what has changed meanwhile', () => {
    const gone = row({ removed_at: at(10), removed_by: 'list' })
    const { record, change } = reconcile(gone, inList({ ...listed, name: 'Gym' }), now)
    expect(change).toEqual({ kind: 'returned', fields: { name: ['Fitness', 'Gym'] } })
    expect(record).toMatchObject({ removed_at: null, removed_by: null, first_seen_at: at(0) })
  })

  it('asked before it was seen: an older answer takes nothing away', () => {
    expect(reconcile(row({ last_seen_at: at(20) }), inList(undefined, at(19)), now)).toEqual({})
  })
})

describe('what details say', () => {
  it('when they are read for the first time is no change', () => {
    const { record, change } = reconcile(row(), onItsOwn(details), now)
    expect(change).toBeUndefined()
    expect(record).toMatchObject({ details, changed_at: at(0) })
  })

  it('of another setting: it has changed, by its path', () => {
    const { change } = reconcile(
      row({ details }),
      onItsOwn({ ...details, configuration: { captureType: 'DirectCapture', tippingAllowed: true } }),
      now,
    )
    expect(change?.fields).toEqual({
      'configuration.captureType': ['ReserveCapture', 'DirectCapture'],
      'configuration.tippingAllowed': [null, true],
    })
  })

  it('of something that no list has shown yet: it has appeared', () => {
    expect(reconcile(undefined, onItsOwn(details), now).change?.kind).toBe('added')
  })

  it('by 404: it is gone, and a list that still has it does not bring it back', () => {
    const { record, change } = reconcile(row({ details }), onItsOwn(undefined), now)
    expect(change?.kind).toBe('removed')
    expect(reconcile(record, inList(listed), now).change).toBeUndefined()
    expect(reconcile(record, onItsOwn(details, at(31)), at(32)).change?.kind).toBe('returned')
  })

  it('by 404, after which the list is without it: the list brings it back', () => {
    const gone = row({ removed_at: at(10), removed_by: 'details' })
    const without = reconcile(gone, inList(undefined), now)
    expect(without.change).toBeUndefined()
    expect(reconcile(without.record, inList(listed, at(31)), at(32)).change?.kind).toBe('returned')
  })

  it('of something that its list has no more: it stays gone', () => {
    expect(reconcile(row({ removed_at: at(10), removed_by: 'list' }), onItsOwn(details), now)).toEqual({})
  })

  it('404 of something unknown means nothing', () => {
    expect(reconcile(undefined, onItsOwn(undefined), now)).toEqual({})
  })

  it('asked before it was found gone: an older answer brings nothing back', () => {
    const gone = row({ removed_at: at(20), removed_by: 'details' })
    expect(reconcile(gone, onItsOwn(details, at(19)), now)).toEqual({})
  })
})

describe('differences', () => {
  it('are told by path; lists count as one value, null and nothing are the same to a reader', () => {
    expect(
      differences(
        { a: 1, b: { c: 2, d: [1, 2] }, same: { x: 1 }, gone: true },
        { a: 1, b: { c: 3, d: [2, 1] }, same: { x: 1 } },
      ),
    ).toEqual({
      'b.c': [2, 3],
      'b.d': [
        [1, 2],
        [2, 1],
      ],
      gone: [true, null],
    })
  })
})
