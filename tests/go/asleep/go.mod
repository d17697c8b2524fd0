module asleep

go 1.16
