package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"realword/inference"
)

// usageArgs says in words what is wrong with positional arguments.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		err := check(c, args)
		if err == nil {
			return nil
		}
		wanted := positional(c)
		needed := slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return strings.HasPrefix(name, "[") })
		switch {
		case !c.HasParent():
			return usageError{err}
		case len(args) < len(needed):
			return usagef("%s is missing: write `%s`", needed[len(args)], written(c))
		case c.HasAvailableSubCommands():
			var names []string
			for _, sub := range c.Commands() {
				if sub.IsAvailableCommand() {
					names = append(names, sub.Name())
				}
			}
			return usagef("%q is no command of %s: it has %s", args[0], c.CommandPath(), strings.Join(names, ", "))
		case c.Name() == "generate" && strings.Contains(args[0], " "):
			return usagef("%q stands alone: write --prompt in front of it", args[0])
		case c.Name() == "generate" && fileThere(args[0]):
			return usagef("%q stands alone: a picture of a subject is written --subject WORD=FILE, without a blank", args[0])
		case len(args) > len(wanted):
			return usagef("%q is one word too many: put what has spaces into quotes, as in \"a dog\"; write `%s`", args[len(wanted)], written(c))
		}
		return usageError{err}
	}
}

// positional names the arguments of a command as its Use does.
func positional(c *cobra.Command) []string {
	words := strings.Fields(c.Use)[1:]
	if at := slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(word, "-") }); at >= 0 {
		words = words[:at]
	}
	return words
}

// written is how a command is written.
func written(c *cobra.Command) string {
	path := c.CommandPath()
	if _, rest, ok := strings.Cut(c.Use, " "); ok {
		return path + " " + rest
	}
	return path + " [options]"
}

// like is a hint at the option that may have been meant.
func like(c *cobra.Command, name string) string {
	best, least := "", 3
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if d := typos(f.Name, name); d < least && !f.Hidden {
			best, least = f.Name, d
		}
	})
	if best == "" {
		return ""
	}
	return ": did you mean --" + best + "?"
}

// likeCommand is a hint at the command that may have been meant.
func likeCommand(c *cobra.Command, name string) string {
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && typos(sub.Name(), strings.ToLower(name)) < 3 {
			return ": did you mean `" + sub.CommandPath() + "`?"
		}
	}
	return ""
}

func fileThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// typos is how many letters are to be put in, left out or changed to make one of two texts the other.
func typos(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0]++
		for j := range len(b) {
			next := min(row[j], row[j+1]) + 1
			if a[i] == b[j] {
				next = min(next, diagonal)
			} else {
				next = min(next, diagonal+1)
			}
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}

// given refuses options whose value is blank, as an empty variable of a script makes them: a default in its place would be another
// picture than was meant. Some may be blank, and what says more about itself is left to its command.
func given(c *cobra.Command, args []string) (err error) {
	c.Flags().Visit(func(f *pflag.Flag) {
		blank := strings.TrimSpace(f.Value.String()) == "" || f.Value.String() == "[]"
		if f.Value.Type() == "bool" || f.Name == "negative" || f.Name == "prompt" && c.Name() == "generate" {
			return
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			blank = slices.ContainsFunc(list.GetSlice(), func(v string) bool { return strings.TrimSpace(v) == "" }) || len(list.GetSlice()) == 0
		}
		if blank && err == nil {
			err = usagef("--%s is empty: give it a value, or leave it out", f.Name)
		}
	})
	if slices.ContainsFunc(args, func(arg string) bool { return strings.TrimSpace(arg) == "" }) && err == nil {
		err = usagef("a name is empty: write `%s`", written(c))
	}
	return err
}

// flagError says in words what is wrong with the value of an option.
func flagError(c *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	var alone *pflag.ValueRequiredError
	var odd *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return usagef("there is no option -%s: options have two hyphens and their whole name; a negative number stands behind =", unknown.GetSpecifiedShortnames())
	case errors.As(err, &unknown) && !c.HasParent() && len(c.Flags().Args()) > 0 && !fileThere(c.Flags().Arg(0)): // of a command that is none
		return existing(c, c.Flags().Args())
	case errors.As(err, &unknown):
		return usagef("there is no option --%s%s", unknown.GetSpecifiedName(), like(c, unknown.GetSpecifiedName()))
	case errors.As(err, &alone):
		return usagef("--%s needs a value behind it", alone.GetSpecifiedName())
	case errors.As(err, &odd):
		return usagef("%s is no option: write --name or --name=value", odd.GetSpecifiedFlag())
	case !errors.As(err, &invalid):
		return usageError{err}
	}
	why, number := errors.Unwrap(invalid), (*strconv.NumError)(nil)
	if errors.As(why, &number) {
		switch kind := invalid.GetFlag().Value.Type(); {
		case kind == "bool":
			why = errors.New("write true or false, or no value")
		case errors.Is(number.Err, strconv.ErrRange):
			why = errors.New("the number is too large")
		case strings.HasPrefix(kind, "float"):
			why = errors.New("give a number such as 0.5")
		default:
			why = errors.New("give a whole number")
		}
	}
	value := invalid.GetValue()
	if strings.TrimSpace(value) == "" {
		value, why = strconv.Quote(value), errBlank
	}
	if err = fmt.Errorf("--%s %s: %w", invalid.GetFlag().Name, value, why); errors.As(why, new(inference.LoRAError)) {
		return err // whose file is not there
	}
	return usageError{err}
}
