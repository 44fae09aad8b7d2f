import { expect, test } from 'vitest'
import { mailboxOf } from '../../src/domain/email-address.ts'

test.each([
  ['kari@example.com', 'kari@example.com', 'example.com'],
  ['Kari.Nordmann@example.com', 'kari.nordmann@example.com', 'example.com'],
  ['kari+portal@example.com', 'kari@example.com', 'example.com'],
  ['kari+a+b@example.com', 'kari@example.com', 'example.com'],
  // Not a tag: nothing would be left.
  ['+47@example.com', '+47@example.com', 'example.com'],
  ['K.a.r.i+x@gmail.com', 'kari@gmail.com', 'gmail.com'],
  ['k.ari@googlemail.com', 'kari@gmail.com', 'gmail.com'],
  ['k.ari@mail.gmail.com.example', 'k.ari@mail.gmail.com.example', 'mail.gmail.com.example'],
])('the mailbox of %s is %s', (email, mailbox, domain) => {
  expect(mailboxOf(email)).toEqual({ mailbox, domain })
})
