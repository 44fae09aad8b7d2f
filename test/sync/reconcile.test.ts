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

function listAnswer(value: Answer['value'], askedAt = at(29)): Answer {
  return {
    source: 'list',
    key: '123456',
    value,
    digest: 'new',
    askedAt,
  }
}

function detailsAnswer(value: Answer['value'], askedAt = at(29)): Answer {
  return {
    source: 'details',
    key: '123456',
    value,
    askedAt,
  }
}

describe('an answer of the list', () => {
  it('adds an unknown record', () => {
    const { record, change } = reconcile(undefined, listAnswer(listed), now)
    expect(change).toEqual({ kind: 'added', fields: {} })
    expect(record).toMatchObject({
      listed,
      details: null,
      first_seen_at: now,
      changed_at: now,
      removed_at: null,
    })
  })

  it('writes nothing for an unchanged record', () => {
    const same = listAnswer({ name: 'Fitness', msn: '123456' })
    expect(reconcile(row({ listed_digest: 'new' }), same, now)).toEqual({})
  })

  it('writes only the digest when the record is equal and its digest differs', () => {
    for (const removal of [{}, { removed_at: at(20), removed_by: 'details' as const }]) {
      const known = row(removal)
      expect(reconcile(known, listAnswer(listed), now)).toEqual({ record: { ...known, listed_digest: 'new' } })
    }
  })

  it('changes a record with another name, and records old and new value', () => {
    const { record, change } = reconcile(row(), listAnswer({ ...listed, name: 'Gym' }), now)
    expect(change).toEqual({ kind: 'changed', fields: { name: ['Fitness', 'Gym'] } })
    expect(record).toMatchObject({ listed_digest: 'new', changed_at: now, first_seen_at: at(0) })
  })

  it('overrides older details until the details are read again', () => {
    const known = row({ details })
    const renamed = reconcile(known, listAnswer({ ...listed, name: 'Gym' }), now).record
    expect(renamed && currentOf(renamed)).toMatchObject({ name: 'Gym', configuration: details.configuration })
    const agreed = reconcile(renamed, detailsAnswer({ ...details, name: 'Gym' }), now)
    expect(agreed.change).toBeUndefined()
  })

  it('records no second change for a name that the details already had', () => {
    const told = reconcile(row({ details }), detailsAnswer({ ...details, name: 'Gym' }), now)
    expect(told.change?.fields).toEqual({ name: ['Fitness', 'Gym'] })
    const late = reconcile(told.record, listAnswer({ ...listed, name: 'Gym' }), now)
    expect(late.change).toBeUndefined()
    expect(late.record && currentOf(late.record)['name']).toBe('Gym')
  })

  it('keeps unknown members and records their changes', () => {
    const { record } = reconcile(undefined, listAnswer({ ...listed, colour: 'orange' }), now)
    expect(record?.listed).toEqual({ ...listed, colour: 'orange' })
    const { change } = reconcile(record, listAnswer({ ...listed, colour: 'blue' }), now)
    expect(change?.fields).toEqual({ colour: ['orange', 'blue'] })
  })

  it('removes a record that it lacks, once', () => {
    const { record, change } = reconcile(row(), listAnswer(undefined), now)
    expect(change).toEqual({ kind: 'removed', fields: {} })
    expect(record).toMatchObject({ removed_at: now, removed_by: 'list', last_seen_at: at(0) })
    expect(reconcile(record, listAnswer(undefined), now)).toEqual({})
  })

  it('returns a removed record, with the changes made meanwhile', () => {
    const removed = row({ removed_at: at(10), removed_by: 'list' })
    const { record, change } = reconcile(removed, listAnswer({ ...listed, name: 'Gym' }), now)
    expect(change).toEqual({ kind: 'returned', fields: { name: ['Fitness', 'Gym'] } })
    expect(record).toMatchObject({ removed_at: null, removed_by: null, first_seen_at: at(0) })
  })

  it('removes nothing when it is older than the record', () => {
    expect(reconcile(row({ last_seen_at: at(20) }), listAnswer(undefined, at(19)), now)).toEqual({})
  })
})

describe('an answer of the details', () => {
  it('records no change when the details are read for the first time', () => {
    const { record, change } = reconcile(row(), detailsAnswer(details), now)
    expect(change).toBeUndefined()
    expect(record).toMatchObject({ details, changed_at: at(0) })
  })

  it('records a changed setting by its path', () => {
    const { change } = reconcile(
      row({ details }),
      detailsAnswer({ ...details, configuration: { captureType: 'DirectCapture', tippingAllowed: true } }),
      now,
    )
    expect(change?.fields).toEqual({
      'configuration.captureType': ['ReserveCapture', 'DirectCapture'],
      'configuration.tippingAllowed': [null, true],
    })
  })

  it('adds a record that no list has shown yet', () => {
    expect(reconcile(undefined, detailsAnswer(details), now).change?.kind).toBe('added')
  })

  it('removes a record on 404, and a list that still has it does not return it', () => {
    const { record, change } = reconcile(row({ details }), detailsAnswer(undefined), now)
    expect(change?.kind).toBe('removed')
    expect(reconcile(record, listAnswer(listed), now).change).toBeUndefined()
    expect(reconcile(record, detailsAnswer(details, at(31)), at(32)).change?.kind).toBe('returned')
  })

  it('removes a record on 404, and the list returns it after having lacked it', () => {
    const removed = row({ removed_at: at(10), removed_by: 'details' })
    const without = reconcile(removed, listAnswer(undefined), now)
    expect(without.change).toBeUndefined()
    expect(reconcile(without.record, listAnswer(listed, at(31)), at(32)).change?.kind).toBe('returned')
  })

  it('does not return a record that the list has removed', () => {
    expect(reconcile(row({ removed_at: at(10), removed_by: 'list' }), detailsAnswer(details), now)).toEqual({})
  })

  it('ignores a 404 of an unknown record', () => {
    expect(reconcile(undefined, detailsAnswer(undefined), now)).toEqual({})
  })

  it('returns nothing when it is older than the removal', () => {
    const removed = row({ removed_at: at(20), removed_by: 'details' })
    expect(reconcile(removed, detailsAnswer(details, at(19)), now)).toEqual({})
  })
})

describe('differences', () => {
  it('are listed by path; arrays count as one value, and null equals a missing member', () => {
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
