//go:build audit

package ui

import "os"

func init() { auditTo = os.Stderr }
