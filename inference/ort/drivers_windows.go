package ort

import (
	"fmt"

	"golang.org/x/sys/windows/registry"
)

// displayAdapters is where Windows keeps the drivers of the graphics cards that it knows: a key 0000, 0001, … for each, readable by
// everybody. Microsoft: "System-Defined Device Setup Classes Available to Vendors", Display Adapters.
const displayAdapters = `SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}`

func installedDrivers() []string { return driversOf(registry.LOCAL_MACHINE, displayAdapters) }

func driversOf(root registry.Key, path string) (list []string) {
	class, err := registry.OpenKey(root, path, registry.ENUMERATE_SUB_KEYS)
	if err != nil {
		return nil
	}
	defer class.Close()
	names, _ := class.ReadSubKeyNames(-1) // one of them, Properties, is for the system alone
	for _, name := range names {
		key, err := registry.OpenKey(class, name, registry.QUERY_VALUE)
		if err != nil {
			continue
		}
		said := ""
		for _, value := range []string{"DriverDesc", "DriverVersion", "DriverDate", "MatchingDeviceId"} {
			if text, _, err := key.GetStringValue(value); err == nil {
				said += fmt.Sprintf(" %s=%q", value, text)
			}
		}
		if _ = key.Close(); said != "" {
			list = append(list, name+said)
		}
	}
	return list
}
